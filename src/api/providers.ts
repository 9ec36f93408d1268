import { z } from "zod";
import type { Provider } from "../model/provider.ts";
import { canRotate, secretNames } from "./destination-input.ts";
import type { Endpoint } from "./endpoint.ts";

const JsonSchema = z
  .record(z.string(), z.unknown())
  .meta({ description: "JSON Schema of an object; the fields in the order in which a form asks for them" });

const ProviderView = z
  .object({
    kind: z.string().meta({ description: "The `provider` of a destination", example: "splunk" }),
    title: z.string().meta({ example: "Splunk HTTP Event Collector" }),
    summary: z.string(),
    endpoint: z.object({
      label: z.string().meta({ example: "HEC URL" }),
      example: z.string().meta({ example: "https://hec.splunk.example.com:8088" }),
      help: z.string().meta({ description: "Where to find it" }),
      required: z.boolean(),
      derived_from: z
        .array(z.string())
        .meta({ description: "Fields of `config` that stand for it when it is left out" }),
    }),
    config: JsonSchema,
    secrets: JsonSchema.meta({
      description: "JSON Schema of the secret fields, which stand flat in a request and in no answer",
    }),
    can_overlap_secrets: z.boolean().meta({
      description: "Whether `previous_secret_ttl_seconds` keeps the old `secret` signing for a while",
    }),
    operations: z.array(z.object({ name: z.string(), description: z.string() })).meta({
      description: "What `allowed_operations` may name",
    }),
    steps: z.array(z.string()).meta({ description: "What to prepare at the vendor, in order" }),
    notes: z.array(z.string()),
    codes: z
      .array(z.object({ code: z.string(), meaning: z.string() }))
      .meta({ description: "What `provider_code` of a delivery means" }),
  })
  .meta({ id: "Provider", description: "A kind of destination, with everything that a form needs" });

/** Made from the adapters' own schemas, so that a form cannot ask for what the relay does not take. */
export function providerEndpoints({
  providers,
}: {
  readonly providers: readonly Provider[];
}): readonly Endpoint[] {
  return [
    {
      method: "get",
      path: "/v1/audit/providers",
      access: { kind: "tenant", scope: "destinations:read" },
      tag: "Destinations",
      summary: "List the kinds of destinations",
      description:
        "With the fields of each as JSON Schema, what they are called at the vendor and where to find them.",
      answers: {
        200: {
          description: "All of them, on one page",
          schema: z.object({ data: z.array(ProviderView), next_cursor: z.null() }),
        },
      },
      handle: (c) => c.json({ data: providers.map(viewProvider), next_cursor: null }),
    },
  ];
}

function viewProvider(provider: Provider): z.input<typeof ProviderView> {
  const { guide } = provider;
  const { label, example, help, derivedFrom } = guide.endpoint;
  return {
    kind: provider.kind,
    title: provider.title,
    summary: guide.summary,
    endpoint: { label, example, help, required: derivedFrom.length === 0, derived_from: [...derivedFrom] },
    config: schemaOf(provider.config),
    secrets: secretSchema(provider),
    can_overlap_secrets: canRotate(provider),
    operations: Object.entries(provider.operations).map(([name, { description }]) => ({ name, description })),
    steps: [...guide.steps],
    notes: [...guide.notes],
    codes: [...guide.codes],
  };
}

/** What a request may carry; what the relay keeps by itself during a rotation is left out. */
function secretSchema(provider: Provider): Record<string, unknown> {
  const asked = secretNames(provider);
  const { properties = {}, required = [], ...rest } = z.toJSONSchema(provider.secrets, AS_INPUT);
  delete rest.$schema;
  return {
    ...rest,
    properties: Object.fromEntries(
      asked.map((name) => [name, { ...objectOf(properties[name]), writeOnly: true }]),
    ),
    required: required.filter((name) => asked.includes(name)),
  };
}

/** Checks that JSON Schema cannot say are left out: the relay finds those faults when it is asked. */
const AS_INPUT = { io: "input", unrepresentable: "any" } as const;

function schemaOf(schema: z.ZodObject): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, AS_INPUT);
  return rest;
}

function objectOf(schema: unknown): object {
  return typeof schema === "object" && schema !== null ? schema : {};
}
