import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";
import type { Check, ProbeReading, ProbeStep } from "../../model/provider.ts";
import { ACCESS_DENIED, NOT_FOUND } from "./cloudwatch-codes.ts";
import { awsError, deniedAction, readCloudwatchAnswer } from "./cloudwatch-reply.ts";
import { reach } from "./reach.ts";

/** What the diagnosis sends, and what it has to know to explain the answers. */
export interface CloudwatchProbe {
  readonly url: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
  readonly put: ProbeStep["request"];
  readonly createGroup: ProbeStep["request"];
  readonly createStream: ProbeStep["request"];
  readonly isMended: (answer: HttpAnswer) => boolean;
  readonly secrets: readonly string[];
}

const FIX = {
  unknownKey:
    "The access key is not known, or was made inactive: create one in IAM, and with temporary keys give session_token too.",
  signature:
    "The secret access key does not belong to the access key, or not to this region: copy both again, whole.",
  expired: "The session token has run out: give fresh temporary keys, or a key of an IAM user.",
  credentials: "AWS does not accept these credentials: its message says why.",
  endpoint:
    "This is not CloudWatch Logs: the endpoint is https://logs.<region>.amazonaws.com, or a proxy that passes requests on unchanged.",
  busy: "CloudWatch Logs takes nothing at the moment; events are kept and tried again.",
  event: "CloudWatch Logs refuses the test event: its message says why.",
} as const;

const HINTS: Readonly<Record<string, string>> = {
  UnrecognizedClientException: FIX.unknownKey,
  InvalidClientTokenId: FIX.unknownKey,
  InvalidAccessKeyId: FIX.unknownKey,
  InvalidSignatureException: FIX.signature,
  SignatureDoesNotMatch: FIX.signature,
  ExpiredTokenException: FIX.expired,
  ExpiredToken: FIX.expired,
};

const CREDENTIALS_OK: Check = { name: "credentials", ok: true, detail: "The access key is accepted." };
const PERMISSION_OK: Check = { name: "permission", ok: true, detail: "logs:PutLogEvents is allowed." };

/**
 * The test event is sent first, since AWS checks the signature, then the permission, then the place, and says which
 * failed. Where the place is missing it is created as delivery would, and the event is sent again.
 */
export function cloudwatchProbe(probe: CloudwatchProbe): readonly ProbeStep[] {
  const told = new Set<string>();
  let hasStream = false;
  const step = (request: ProbeStep["request"], read: (answer: HttpAnswer) => ProbeReading): ProbeStep => ({
    request,
    read: (answer) => {
      const reached = reach(answer, probe.url);
      const reading = reached.verdict === null ? read(answer) : { checks: [], verdict: reached.verdict };
      const checks = [...reached.checks, ...reading.checks].filter(({ name, ok }) => !ok || !told.has(name));
      for (const { name } of checks) told.add(name);
      return { checks, verdict: reading.verdict };
    },
  });
  const readStream = (answer: HttpAnswer): ProbeReading => {
    if (!probe.isMended(answer)) return failed(answer, probe);
    hasStream = awsError(answer)?.type !== NOT_FOUND;
    return { checks: [], verdict: null };
  };
  return [
    step(probe.put, (answer) => (awsError(answer)?.type === NOT_FOUND ? MISSING : readEvent(answer, probe))),
    step(probe.createStream, readStream),
    // Asked in any case, and needless where the stream could be created: a refusal proves nothing then.
    step(probe.createGroup, (answer) =>
      hasStream || probe.isMended(answer) ? { checks: [], verdict: null } : failed(answer, probe),
    ),
    step(probe.createStream, readStream),
    step(probe.put, (answer) => readEvent(answer, probe)),
  ];
}

const MISSING: ProbeReading = { checks: [CREDENTIALS_OK, PERMISSION_OK], verdict: null };

function readEvent(answer: HttpAnswer, probe: CloudwatchProbe): ProbeReading {
  const outcome = readCloudwatchAnswer(answer, { events: 1 }, probe.secrets);
  if (outcome.kind !== "delivered") return failed(answer, probe);
  const place = `${probe.group}, stream ${probe.stream}`;
  const taken: Check = {
    name: "log_group",
    ok: true,
    detail: `The log group took the test event: ${place}.`,
  };
  return {
    checks: [CREDENTIALS_OK, PERMISSION_OK, taken],
    verdict: { ok: true, words: outcome.words, hint: null, acknowledgement: null },
  };
}

function failed(answer: HttpAnswer, probe: CloudwatchProbe): ProbeReading {
  const outcome = readCloudwatchAnswer(answer, { events: 1 }, probe.secrets);
  const [name, detail] = blame(answer, outcome, probe);
  const passed = { permission: [CREDENTIALS_OK], log_group: MISSING.checks, event: MISSING.checks };
  return {
    checks: [...(name in passed ? passed[name as keyof typeof passed] : []), { name, ok: false, detail }],
    verdict: { ok: false, words: outcome.words, hint: detail, acknowledgement: null },
  };
}

function blame(
  answer: HttpAnswer,
  outcome: Outcome,
  { group, stream, region }: CloudwatchProbe,
): readonly [name: string, hint: string] {
  const error = awsError(answer);
  const type = error?.type ?? "";
  if (ACCESS_DENIED.has(type)) {
    const action = deniedAction(error);
    const what = action ?? "logs:PutLogEvents, logs:CreateLogStream and logs:CreateLogGroup";
    const orElse = action?.startsWith("logs:Create")
      ? `, or create the log group ${group} and its stream ${stream} yourself`
      : "";
    return ["permission", `Allow ${what} on ${group} in the policy of this access key${orElse}.`];
  }
  const isHeld = outcome.kind === "hold";
  if (isHeld && outcome.trouble === "credentials_rejected")
    return ["credentials", HINTS[type] ?? FIX.credentials];
  if (type === NOT_FOUND)
    return ["log_group", `Create the log group ${group} and its stream ${stream} in ${region}.`];
  if (isHeld && type.startsWith("Invalid"))
    return [
      "log_group",
      `The log group ${group} or its stream ${stream} takes no events: the message says why.`,
    ];
  if (isHeld || (outcome.kind === "retry" && error === null && (outcome.words.httpStatus ?? 500) <= 400))
    return ["service", FIX.endpoint];
  return outcome.kind === "retry" ? ["service", FIX.busy] : ["event", FIX.event];
}
