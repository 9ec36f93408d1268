import type { Trouble } from "../../model/delivery.ts";

/** What one of AWS's error types comes to. The HTTP status says nothing: nearly all of them come with 400. */
export interface CloudwatchRow {
  readonly types: readonly string[];
  readonly becomes:
    | { readonly kind: "retry"; readonly trouble: Trouble; readonly maybeTaken: boolean }
    | { readonly kind: "hold"; readonly trouble: Trouble }
    /** The message decides between the settings, the size and one event. */
    | { readonly kind: "parameter" }
    | { readonly kind: "delivered" | "split" | "fault" };
  /** Why this and nothing else. */
  readonly because: string;
}

const again = (trouble: Trouble, maybeTaken: boolean) => ({ kind: "retry", trouble, maybeTaken }) as const;
const hold = (trouble: Trouble) => ({ kind: "hold", trouble }) as const;

/**
 * The errors of PutLogEvents, of the calls that create what it needs, and those common to all of AWS, which go by
 * two names each in places.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html#API_PutLogEvents_Errors
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html (read 2026-11)
 */
// biome-ignore format: a table is read by rows
export const CLOUDWATCH_TABLE: readonly CloudwatchRow[] = [
  { types: ["ThrottlingException", "Throttling", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException"], becomes: again("throttled", false), because: "a quota of the account per second; nothing was taken" },
  { types: ["LimitExceededException", "ServiceQuotaExceededException"], becomes: again("throttled", false), because: "a quota of the account, as of log groups: room may be made" },
  { types: ["ServiceUnavailableException", "ServiceUnavailable", "InternalFailure", "InternalServerError", "InternalServerException"], becomes: again("provider_error", true), because: "may have failed after taking the events" },
  { types: ["OperationAbortedException", "ConflictException"], becomes: again("provider_error", false), because: "somebody else creates the same at the same time" },
  { types: ["RequestTimeout", "RequestTimeoutException"], becomes: again("timeout", false), because: "the body was too late to be read" },
  { types: ["RequestExpired"], becomes: again("provider_error", false), because: "the signature grew old on the way; each attempt makes a new one" },
  { types: ["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"], becomes: hold("credentials_rejected"), because: "the key is unknown, deleted or inactive" },
  { types: ["InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException"], becomes: hold("credentials_rejected"), because: "the secret belongs to another key, or the region is wrong" },
  { types: ["ExpiredTokenException", "ExpiredToken", "InvalidTokenException"], becomes: hold("credentials_rejected"), because: "temporary keys run out: keep the events until new ones come" },
  { types: ["MissingAuthenticationToken", "MissingAuthenticationTokenException"], becomes: hold("credentials_rejected"), because: "a proxy took the signature away" },
  { types: ["AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedOperation"], becomes: hold("credentials_rejected"), because: "a policy is missing, and may be added" },
  { types: ["OptInRequired", "SubscriptionRequiredException"], becomes: hold("credentials_rejected"), because: "the account may not use the service or region" },
  { types: ["ResourceNotFoundException"], becomes: hold("config_rejected"), because: "still not there after it was to be created" },
  { types: ["UnknownOperationException", "UnknownOperation", "InvalidAction"], becomes: hold("config_rejected"), because: "the operation is always the same and exists, so another service is at the address; parking would cost good events" },
  { types: ["InvalidOperationException"], becomes: hold("config_rejected"), because: "the log group is of a kind that takes no events" },
  { types: ["InvalidParameterException", "ValidationException", "ValidationError", "InvalidParameterValue"], becomes: { kind: "parameter" }, because: "says no index, and means names, sizes and events alike" },
  { types: ["RequestEntityTooLargeException", "RequestTooLargeException"], becomes: { kind: "split" }, because: "nothing is read of a body that is too large" },
  { types: ["DataAlreadyAcceptedException"], becomes: { kind: "delivered" }, because: "the same batch is there already; not sent any more since 2023" },
  { types: ["InvalidSequenceTokenException"], becomes: again("provider_error", false), because: "tokens are ignored since 2023; a stand-in of before then took nothing" },
  { types: ["SerializationException", "MalformedInputException"], becomes: { kind: "fault" }, because: "the JSON is ours" },
];

export const ACCESS_DENIED: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "AccessDenied",
  "NotAuthorized",
  "UnauthorizedOperation",
]);

export const NOT_FOUND = "ResourceNotFoundException";
export const ALREADY_EXISTS = "ResourceAlreadyExistsException";

/** @param type without its namespace */
export function cloudwatchRow(type: string): CloudwatchRow | null {
  return CLOUDWATCH_TABLE.find(({ types }) => types.includes(type)) ?? null;
}
