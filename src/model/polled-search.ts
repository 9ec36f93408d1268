import { z } from "zod";

/** Splunk recommends 15 minutes of overlap at least: between being indexed and being found there can be that much. */
export const MIN_LOOKBACK_MINUTES = 15;
/** The app of Enterprise Security: its macros are seen from there even where they are not shared. */
export const ES_APP = "SplunkEnterpriseSecuritySuite";

/**
 * How a source of kind `splunk_es` is polled, as stored in its `config`. No secret is among it.
 *
 * Strict: a misspelt option is an error and not a silent default.
 */
export const PolledSearch = z
  .strictObject({
    rest_url: z
      .url()
      .max(2_000)
      .meta({ description: "Splunk's management port", examples: ["https://splunk.example.com:8089"] }),
    search: z
      .string()
      .trim()
      .min(1)
      .max(20_000)
      .optional()
      .meta({ description: "The search in SPL; the notables of Enterprise Security when absent" }),
    es_version: z
      .union([z.literal(7), z.literal(8)])
      .default(7)
      .meta({ description: "Chooses the default search: notables, or the findings of 8" }),
    app: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,100}$/)
      .optional()
      .meta({ description: `The app in whose context the search runs; ${ES_APP} for the default search` }),
    auth: z.enum(["basic", "session"]).default("basic").meta({
      description: "How username and password are used: with each request, or once for a session key",
    }),
    mode: z.enum(["job", "oneshot"]).default("job").meta({
      description: "A job that is asked for its results, or one request that waits for them",
    }),
    poll_interval_minutes: z.int().min(1).max(1_440).default(5),
    lookback_minutes: z
      .int()
      .min(MIN_LOOKBACK_MINUTES)
      .max(1_440)
      .default(MIN_LOOKBACK_MINUTES)
      .meta({ description: "Index time that each poll reads again" }),
    event_time_lookback_days: z.int().min(1).max(365).default(30).meta({
      description: "How much older than its indexing a notable may be by its own time",
    }),
  })
  .meta({ id: "PolledSearch" });
export type PolledSearch = z.infer<typeof PolledSearch>;

/** How the poller proves itself to Splunk; a token wins over a password. */
export const PolledSearchSecrets = z.union([
  z.strictObject({ token: z.string().min(1).max(8_192) }),
  z.strictObject({ username: z.string().min(1).max(256), password: z.string().min(1).max(1_024) }),
]);
export type PolledSearchSecrets = z.infer<typeof PolledSearchSecrets>;
