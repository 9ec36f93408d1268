import { z } from "zod";
import type { Source } from "../model/source.ts";
import { AlertSettings, SIGNATURE_HEADER } from "../model/source-settings.ts";

/** Where alerts come in. */
export const INBOUND_PATH = "/api/webhooks/inbound/splunk";
/** The prefix under which gateways of other products publish the same path. */
export const GATEWAY_PREFIX = "/prod";

const Setup = z.object({
  steps: z.array(z.string()).meta({ description: "What to do in Splunk, in order" }),
  url: z.string().optional().meta({ description: "The webhook URL to paste" }),
  shared_url: z
    .string()
    .optional()
    .meta({ description: "The same for all sources; the secret alone says which. Not for signed requests" }),
  path_url: z.string().optional().meta({
    description: "With the secret at its end, for Splunk's own webhook action, which sends no header",
  }),
  header: z
    .string()
    .optional()
    .meta({ description: "The header line to add", example: "X-Sluice-Secret: …" }),
  signature: z
    .string()
    .optional()
    .meta({ description: "What is signed and how, where a signature is demanded" }),
  payload_template: z.record(z.string(), z.string()).optional(),
  payload_template_text: z
    .string()
    .optional()
    .meta({ description: "The same as text, ready to paste into an app with custom bodies" }),
  allow_list: z
    .object({
      pattern: z
        .string()
        .meta({ description: "For Splunk Cloud: Settings, Server settings, Webhook allow list" }),
      conf: z.string().meta({ description: "For Splunk Enterprise: etc/system/local/alert_actions.conf" }),
    })
    .optional()
    .meta({
      description:
        "Splunk from 9.0 on calls only URLs that an entry of its allow list matches, where it is on",
    }),
  curl: z.string().optional().meta({ description: "Tries it from a shell" }),
  rest_url: z.string().optional(),
});
/** The sheet to follow in Splunk. */
export const SetupSheet = Setup.meta({ id: "SourceSetup" });
type SetupSheet = z.input<typeof Setup>;

/** What a template sends: Splunk puts a value in the place of each token. */
export const PAYLOAD_TEMPLATE = {
  search_name: "$name$",
  result_count: "$job.resultCount$",
  search_uri: "$job.sid$",
  severity: "$result.severity$",
  host: "$result.host$",
  source: "$result.source$",
  message: "$result.message$",
  priority: "$result.priority$",
  assignment_group: "$result.assignment_group$",
  timestamp: "$trigger_time$",
} as const;

/** The secrets to write into the sheet; once they are not known any more, a sign stands in their place. */
export interface ShownSecrets {
  readonly secret?: string | undefined;
  readonly pathSecret?: string | undefined;
}

const UNKNOWN_SECRET = "YOUR_SECRET";
const UNKNOWN_PATH_SECRET = "YOUR_PATH_SECRET";

/** How to connect a source, ready to paste. */
export function setupOf(source: Source, publicUrl: string, shown: ShownSecrets = {}): SetupSheet {
  return source.kind === "splunk_alert" ? alertSetup(source, publicUrl, shown) : pollSetup(source);
}

function alertSetup(source: Source, publicUrl: string, shown: ShownSecrets): SetupSheet {
  const settings = AlertSettings.parse(source.config);
  const shared = `${publicUrl}${INBOUND_PATH}`;
  const url = `${shared}/${source.id}`;
  const secret = shown.secret ?? UNKNOWN_SECRET;
  const pattern = `^${escaped(publicUrl)}(?:${GATEWAY_PREFIX})?${INBOUND_PATH}(?:/[^?#]*)?$`;
  const allow = { pattern, conf: `[webhook]\nenable_allowlist = true\nallowlist.sluice = ${pattern}\n` };
  const template = { ...PAYLOAD_TEMPLATE };
  const common = {
    url,
    payload_template: template,
    payload_template_text: JSON.stringify(template, null, 2),
    allow_list: allow,
  };
  if (settings.hmac !== false) {
    const signature = signatureOf(settings.hmac);
    return {
      ...common,
      signature,
      steps: signedSteps(signature),
      curl: signedCurl(url, settings.hmac, secret),
    };
  }
  const header = `${settings.secret_header ?? "X-Sluice-Secret"}: ${secret}`;
  const pathUrl = `${url}/${shown.pathSecret ?? UNKNOWN_PATH_SECRET}`;
  return {
    ...common,
    shared_url: shared,
    header,
    ...(settings.allow_path_secret ? { path_url: pathUrl } : {}),
    steps: headerSteps(settings.allow_path_secret),
    curl: curlOf(url, [header]),
  };
}

function headerSteps(hasPath: boolean): readonly string[] & string[] {
  return [
    "Allow the URL: put allow_list.pattern into Splunk's webhook allow list, or allow_list.conf into alert_actions.conf.",
    "With an app that sends headers and bodies of your own (Better Webhooks, Webhook Alert Action): set url, header and payload_template_text.",
    "Such an app may also send the secret as `Authorization: Bearer …`, or as the password of Basic.",
    hasPath
      ? "With Splunk's own webhook action, which sends no header: set path_url and nothing else. Keep it to yourself, it is a secret."
      : "Splunk's own webhook action sends no header: change the source with allow_path_secret true for a URL that needs none.",
    "Trigger the alert once, or run curl; the source's first_alert check then turns ok.",
  ];
}

function signedSteps(signature: string): readonly string[] & string[] {
  return [
    "Allow the URL: put allow_list.pattern into Splunk's webhook allow list, or allow_list.conf into alert_actions.conf.",
    `Set url and payload_template_text in an app that signs, with the secret as its key: ${signature}.`,
    "Trigger the alert once; the source's first_alert check then turns ok.",
  ];
}

function signatureOf(hmac: Exclude<AlertSettings["hmac"], false>): string {
  if (hmac === true) {
    return "X-Sluice-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of the time, a dot and the body>";
  }
  const over =
    hmac.timestamp_header === undefined
      ? "the body"
      : `the body followed by the value of ${hmac.timestamp_header}`;
  return `${hmac.header}: ${hmac.prefix ?? ""}<${hmac.encoding} HMAC-${hmac.hash.toUpperCase()} of ${over}>`;
}

const SAMPLE =
  '{"search_name":"High Error Rate","severity":"high","host":"app-server-01","message":"Error rate exceeded 10%"}';

function curlOf(url: string, headers: readonly string[]): string {
  const lines = ["Content-Type: application/json", ...headers].map((header) => `  -H ${quoted(header)} \\`);
  return [`curl -X POST ${quoted(url)} \\`, ...lines, `  -d ${quoted(SAMPLE)}`].join("\n");
}

/** Signs in the shell; with openssl, which is everywhere. */
function signedCurl(url: string, hmac: Exclude<AlertSettings["hmac"], false>, secret: string): string {
  const form = hmac === true ? { header: SIGNATURE_HEADER, hash: "sha256", encoding: "hex" } : hmac;
  const time = hmac === true ? "t" : hmac.timestamp_header;
  const signed = hmac === true ? '"$t.$body"' : time === undefined ? '"$body"' : '"$body$t"';
  const coded = form.encoding === "hex" ? "xxd -p -c 256" : "base64 -w 0";
  const prefix = hmac === true ? "t=$t,v1=" : (hmac.prefix ?? "");
  return [
    `body=${quoted(SAMPLE)}; t=$(date +%s)`,
    `s=$(printf '%s' ${signed} | openssl dgst -${form.hash} -hmac ${quoted(secret)} -binary | ${coded})`,
    `curl -X POST ${quoted(url)} -H 'Content-Type: application/json' -d "$body" -H "${form.header}: ${prefix}$s"${
      hmac === true || time === undefined ? "" : ` -H "${time}: $t"`
    }`,
  ].join("\n");
}

/** For a POSIX shell: a chosen secret may hold anything that a header can. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function pollSetup(source: Source): SetupSheet {
  return {
    rest_url: String(source.config["rest_url"]),
    steps: [
      "Let this relay reach Splunk's management port. On Splunk Cloud the support opens it; trials have none.",
      "Use an account with a role that may search the notables (ess_analyst, or search on index=notable); a token is better than a password.",
      "Run POST /v1/sources/{id}/test: it looks at address, credentials and search one by one.",
      "The first poll follows by itself; POST /v1/sources/{id}/poll does not wait for it.",
    ],
  };
}
