import { z } from "zod";
import type { Provider } from "../model/provider.ts";
import {
  canRotate,
  DestinationFields,
  FallbackField,
  nextNames,
  RotationField,
  secretNames,
} from "./destination-input.ts";
import type { RequestBody } from "./endpoint.ts";

/*
 * What destination requests look like, for the document. Handlers read with `destination-input.ts`, which
 * tells more faults at once than one schema per provider could.
 */

const example = {
  provider: "splunk",
  name: "SOC Splunk",
  endpoint: "https://hec.splunk.example.com:8088/services/collector",
  token: "your-hec-token",
  enabled: true,
  config: { index: "main", acknowledge: "auto" },
};

/** A new destination: one shape for each provider. */
export function createBody(providers: readonly Provider[]): RequestBody {
  const shapes = providers.map((provider) => createShape(provider));
  const schema = anyOf(shapes).meta({ id: "NewDestination" });
  return { content: { "application/json": { schema, example } } };
}

/** Any of the fields; what is not named stays as it is. */
export function putBody(providers: readonly Provider[]): RequestBody {
  const schema = changeShape(providers, false).meta({ id: "DestinationUpdate" });
  const named = { endpoint: "https://hec-new.splunk.example.com:8088/services/collector", enabled: true };
  return { content: { "application/json": { schema, example: { ...named, token: "your-new-hec-token" } } } };
}

export function patchBody(providers: readonly Provider[]): RequestBody {
  const schema = changeShape(providers, true).meta({ id: "DestinationPatch" });
  const content = { schema, example: { enabled: false, config: { index: null } } };
  return { content: { "application/json": content, "application/merge-patch+json": content } };
}

function createShape(provider: Provider) {
  const { endpoint, ...rest } = DestinationFields.partial().shape;
  const canDerive = provider.guide.endpoint.derivedFrom.length > 0;
  return z
    .strictObject({
      provider: z.literal(provider.kind),
      endpoint: canDerive ? endpoint : DestinationFields.shape.endpoint,
      ...secretShape(provider),
      ...rest,
      config: provider.config.optional(),
    })
    .meta({ title: provider.title });
}

function secretShape(provider: Provider): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {};
  for (const name of secretNames(provider)) {
    const held = provider.secrets.shape[name];
    if (held instanceof z.ZodType) shape[name] = held;
  }
  return shape;
}

function changeShape(providers: readonly Provider[], allowsNull: boolean) {
  const orNull = (schema: z.ZodType): z.ZodType => (allowsNull ? schema.nullable() : schema).optional();
  const shape: Record<string, z.ZodType> = {};
  for (const [name, schema] of Object.entries(DestinationFields.shape)) shape[name] = orNull(schema);
  for (const name of new Set(providers.flatMap(secretNames))) {
    const owners = providers.filter((provider) => secretNames(provider).includes(name));
    const description = `Secret, write-only. For ${owners.map(({ kind }) => kind).join(", ")}`;
    shape[name] = orNull(z.string().meta({ description }));
  }
  for (const name of new Set(providers.flatMap(nextNames))) {
    const description = "Secret, write-only: proved with a test event, then preferred over the present one";
    shape[name] = z.string().optional().meta({ description });
  }
  shape["previous_token_ttl_seconds"] = FallbackField.optional();
  if (providers.some(canRotate)) shape["previous_secret_ttl_seconds"] = RotationField.optional();
  return z.strictObject(shape);
}

function anyOf(shapes: readonly z.ZodType[]): z.ZodType {
  const [first, second, ...more] = shapes;
  if (first === undefined) return z.never();
  return second === undefined ? first : z.union([first, second, ...more]);
}
