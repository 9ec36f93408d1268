import { z } from "zod";
import { byteLength } from "../base/bytes.ts";
import type { EpochMs } from "../base/clock.ts";
import { ok } from "../base/result.ts";
import { signAws } from "../base/sigv4.ts";
import type { RelayEvent } from "../model/event.ts";
import type { HttpAnswer, HttpRequestSpec } from "../model/http.ts";
import { type Connector, defineProvider, type Repair, type RequestLimits } from "../model/provider.ts";
import { ALREADY_EXISTS, NOT_FOUND } from "./shared/cloudwatch-codes.ts";
import { AWS_REGION, cloudwatchPlace } from "./shared/cloudwatch-endpoint.ts";
import { cloudwatchProbe } from "./shared/cloudwatch-probe.ts";
import { awsError, readCloudwatchAnswer } from "./shared/cloudwatch-reply.ts";
import { MAX_AGE, selectByTime } from "./shared/cloudwatch-window.ts";
import { EVENT_OPERATIONS, performEvents } from "./shared/event-operations.ts";
import { CLOUDWATCH_GUIDE } from "./shared/guides.ts";
import { isHtml, jsonObject } from "./shared/reply.ts";

/*
 * AWS CloudWatch Logs, through PutLogEvents: a JSON call signed with Signature Version 4, to one log stream.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html (read 2026-11)
 */

// --- Settings -------------------------------------------------------------------------------------------

const DEFAULT_GROUP = "/sluice/audit";

const Config = z.strictObject({
  log_group: z
    .string()
    .regex(
      /^[._/#A-Za-z0-9-]{1,512}$/,
      "Expected a log group: up to 512 letters, digits and the characters . _ / # -",
    )
    .default(DEFAULT_GROUP)
    .meta({
      title: "Log group",
      description:
        "Created when it does not exist and the key is allowed to. In AWS: CloudWatch, Logs, Log groups",
    }),
  log_stream: z
    .string()
    .regex(/^[^:*\p{Cc}\p{Cs}]{1,512}$/u, "Expected a log stream: up to 512 characters without : and *")
    .optional()
    .meta({
      title: "Log stream",
      description: "The destination's id when absent; created when it does not exist",
      examples: ["sluice"],
    }),
  region: z
    .string()
    .regex(AWS_REGION, "Expected an AWS region like eu-central-1")
    .optional()
    .meta({
      title: "AWS region",
      description:
        "The code beside the region's name at the top right of the AWS console; needed where the endpoint does not name it",
      examples: ["eu-central-1", "us-east-1"],
    }),
});

const secret = (what: string, form: RegExp) =>
  z
    .string({ error: `Expected the ${what}` })
    .regex(form, `Expected the ${what} alone: no spaces, line breaks or other characters`);

const Secrets = z.strictObject({
  access_key_id: secret("access key id", /^\w{1,128}$/).meta({
    title: "Access key ID",
    description:
      "In AWS: IAM, Users, the user, Security credentials, Access keys. It needs logs:PutLogEvents and logs:CreateLogStream on the log group",
    examples: ["AKIAIOSFODNN7EXAMPLE"],
  }),
  secret_access_key: secret("secret access key", /^[!-~]{1,512}$/).meta({
    title: "Secret access key",
    description: "AWS shows it once, when the access key is created",
  }),
  session_token: secret("session token of temporary keys", /^[!-~]{1,8192}$/)
    .optional()
    .meta({
      title: "Session token",
      description: "Of temporary keys only; they run out",
    }),
});

// --- Limits ---------------------------------------------------------------------------------------------

/**
 * AWS counts the UTF-8 bytes of all messages and 26 for each event. The whole body is held to the same number, which
 * is the stricter: around a message are always more than 26 bytes of it, and quotes are escaped.
 */
const LIMITS: RequestLimits = { events: 10_000, bytes: 1_048_576 };

/** `{"timestamp":,"message":""},` and the digits of any time. */
const EVENT_FRAME_BYTES = '{"timestamp":,"message":""},'.length + 16;

// --- Calls ----------------------------------------------------------------------------------------------

/** One call of the service's JSON protocol, as it may travel for five minutes from `now`. Never compressed: the signature covers the body. */
type Call = (operation: string, input: object, now: EpochMs) => Promise<HttpRequestSpec>;

function createCall(url: string, signing: Omit<Parameters<typeof signAws>[1], "now">): Call {
  return async (operation, input, now) => {
    const request = {
      method: "POST",
      url,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `Logs_20140328.${operation}`,
      },
      body: JSON.stringify(input),
    } as const;
    return { ...request, headers: await signAws(request, { ...signing, now }) };
  };
}

// --- Encoding -------------------------------------------------------------------------------------------

/** The event is the message as it stands, so that its hash can be made again; CloudWatch reads JSON in it by itself. */
function batch(place: object, events: readonly RelayEvent[]): object {
  return { ...place, logEvents: events.map(({ at, json }) => ({ timestamp: at, message: json })) };
}

/** The frame of the request is counted for every event: a small waste, for a sum that holds for one event as for many. */
function createEnvelope(place: object): Connector["envelopeBytes"] {
  const overhead = byteLength(JSON.stringify(batch(place, []))) + EVENT_FRAME_BYTES;
  return ({ json }) => {
    const quotes = 2;
    const escapes = JSON.stringify(json).length - quotes - json.length;
    return overhead + escapes;
  };
}

// --- Repair ---------------------------------------------------------------------------------------------

/**
 * A missing stream is created, then a missing group with it. The message says which of them is missing, but stand-ins
 * confuse the two; so the group follows in the second round in any case, and CreateLogStream's own complaint that
 * there is no group counts as mended, for the sake of that round.
 */
function createRepair(call: Call, place: { logGroupName: string; logStreamName: string }): Repair {
  const { logGroupName } = place;
  return {
    requests(answer, round, { now }) {
      const error = awsError(answer);
      if (error?.type !== NOT_FOUND) return [];
      const stream = call("CreateLogStream", place, now);
      const lacksGroup = round > 0 || /log group/i.test(error.message);
      return Promise.all(lacksGroup ? [call("CreateLogGroup", { logGroupName }, now), stream] : [stream]);
    },
    isMended,
  };
}

/** The calls that create something answer with 200 and an empty body. */
function isMended(answer: HttpAnswer): boolean {
  if (answer.kind === "failure") return false;
  const error = awsError(answer);
  if (error !== null) return error.type === ALREADY_EXISTS || error.type === NOT_FOUND;
  if (answer.status < 200 || answer.status > 299 || isHtml(answer)) return false;
  return answer.bodyIncomplete || answer.body.trim() === "" || jsonObject(answer) !== null;
}

// --- The provider ---------------------------------------------------------------------------------------

export const cloudwatch = defineProvider({
  kind: "cloudwatch",
  title: "AWS CloudWatch Logs",
  guide: CLOUDWATCH_GUIDE,
  config: Config,
  secrets: Secrets,
  operations: EVENT_OPERATIONS,
  build({ destinationId, endpoint, config, secrets }) {
    const found = cloudwatchPlace(endpoint, config.region);
    if (!found.ok) return found;
    const { url, region } = found.value;
    const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = secrets;
    const { session_token: sessionToken } = secrets;
    const { log_group: logGroupName, log_stream: logStreamName = destinationId } = config;
    const place = { logGroupName, logStreamName };
    const call = createCall(url, {
      credentials: { accessKeyId, secretAccessKey, sessionToken },
      region,
      service: "logs",
    });
    const known = [sessionToken ?? "", secretAccessKey, accessKeyId];

    const connector: Connector = {
      kind: "cloudwatch",
      limits: LIMITS,
      envelopeBytes: createEnvelope(place),
      origin: url,
      encode: (events, { now }) => call("PutLogEvents", batch(place, events), now),
      interpret: (answer, sent) => readCloudwatchAnswer(answer, sent, known),
      select: selectByTime,
      maxAge: MAX_AGE,
      repair: createRepair(call, place),
      probe: (event, { now }) =>
        cloudwatchProbe({
          url,
          region,
          group: logGroupName,
          stream: logStreamName,
          put: call("PutLogEvents", batch(place, [event]), now),
          createGroup: call("CreateLogGroup", { logGroupName }, now),
          createStream: call("CreateLogStream", place, now),
          isMended,
          secrets: known,
        }),
      perform: (...call) => performEvents(connector)(...call),
      publicConfig: { ...config, log_stream: logStreamName, region },
    };
    return ok(connector);
  },
});
