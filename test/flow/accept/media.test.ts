import { it } from "vitest";
import { mediaOf } from "../../../src/flow/accept/media.ts";

const given = (type: string | null, encoding: string | null = null) => {
  const headers = new Headers();
  if (type !== null) headers.set("content-type", type);
  if (encoding !== null) headers.set("content-encoding", encoding);
  const media = mediaOf(headers);
  return media.ok ? `${media.value.format}${media.value.gzip ? " gzip" : ""}` : media.error.code;
};

it("takes every spelling of JSON and of JSON lines, and JSON when nothing is said", ({ expect }) => {
  expect(given(null)).toBe("json");
  expect(given("application/json")).toBe("json");
  expect(given("Application/JSON; Charset=UTF-8")).toBe("json");
  expect(given('application/json;charset="utf-8"')).toBe("json");
  expect(given("application/cloudevents+json")).toBe("json");
  for (const type of ["application/x-ndjson", "application/ndjson", "application/jsonl"]) {
    expect(given(type)).toBe("ndjson");
    expect(given(`${type}; charset=utf8`, "gzip")).toBe("ndjson gzip");
  }
});

it("refuses any other type, character set or encoding", ({ expect }) => {
  for (const type of [
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "json",
    "a/+json",
  ]) {
    expect(given(type)).toBe("unsupported_media_type");
  }
  expect(given("application/json; charset=utf-16")).toBe("unsupported_media_type");
  expect(given("application/json", "br")).toBe("unsupported_media_type");
  expect(given("application/json", "gzip, gzip")).toBe("unsupported_media_type");
  expect(given("application/json", "identity")).toBe("json");
});
