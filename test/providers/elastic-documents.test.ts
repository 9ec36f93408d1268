import * as fc from "fast-check";
import { describe, it } from "vitest";
import { KNOWN_ACTIONS } from "../../src/api/known-actions.ts";
import { parseJson } from "../../src/base/json.ts";
import { categoriesOf, ecsDocument } from "../../src/providers/shared/ecs.ts";
import { event } from "./answers.ts";

const NOW = 1_782_823_500_000;

/**
 * The part of ECS 9.4.0 that is used: what may stand in `event.category`, each with its `expected_event_types`.
 * @see https://github.com/elastic/ecs/blob/v9.4.0/schemas/event.yml (read 2026-11)
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  api: "access admin allowed change creation deletion denied end info start user".split(" "),
  authentication: ["start", "end", "info"],
  configuration: ["access", "change", "creation", "deletion", "info"],
  iam: ["admin", "change", "creation", "deletion", "group", "info", "user"],
};

const gist = (action: string, outcome = "SUCCESS") => {
  const { category = [], type = [] } = categoriesOf(action, outcome);
  return `${category.join("+")}: ${type.join("+")}`;
};

const document = (fields: object, over: Parameters<typeof event>[0] = {}) =>
  JSON.parse(ecsDocument(event({ ...over, json: JSON.stringify(fields) }), NOW));

// biome-ignore format: a table is read by rows
const CATALOGUE: Readonly<Record<string, string>> = {
  "user.login": "authentication: start",
  "user.logout": "authentication: end",
  "user.create": "iam: user+creation",
  "user.update_role": "iam: user+change",
  "user.deactivate": "iam: user+change",
  "auth.mfa.enable": "iam: user+change",
  "auth.mfa.disable": "iam: user+change",
  "auth.password.reset": "iam: user+change",
  "organization.invitation.create": "iam: user+creation",
  "organization.invitation.revoke": "iam: user+deletion",
  "organization.auth.email.enable": "configuration: change",
  "organization.auth.email.disable": "configuration: change",
  "organization.auth.google.enable": "configuration: change",
  "organization.auth.google.disable": "configuration: change",
  "organization.auth.oidc.enable": "configuration: change",
  "organization.auth.oidc.disable": "configuration: change",
  "organization.auth.oidc.configure": "configuration: change",
  "organization.auth.oidc.update": "configuration: change",
  "organization.auth.oidc.delete": "configuration: deletion",
  "scan.create": "configuration: creation",
  "scan.delete": "configuration: deletion",
  "scan.start": "configuration: info",
  "scan.stop": "configuration: info",
  "scan.schedule": "configuration: change",
  "scan.unschedule": "configuration: change",
  "attestation.mint": ": ",
  "vault.seal": "configuration: creation",
  "vault.unseal": "configuration: access",
  "vault.rotate": "configuration: change",
  "vault.delete": "configuration: deletion",
  "incident.create": ": ",
  "incident.recur": ": ",
  "incident.reopen": ": ",
  "incident.note": ": ",
  "incident.acknowledge": ": ",
  "incident.resolve": ": ",
  "incident.close": ": ",
  "incident.update": ": ",
  "change.create": ": ",
  "change.approve": ": ",
  "change.reject": ": ",
  "change.complete": ": ",
  "ai.query": ": ",
  "api.request": "api: access",
  "api-key.create": "iam: creation",
  "api-key.delete": "iam: deletion",
  "console.sign_in": "authentication: start",
  "console.sign_out": "authentication: end",
  "console.sign_out_everywhere": "authentication: end",
  "console.enter": "authentication: info",
  "source.create": "configuration: creation",
  "source.update": "configuration: change",
  "source.delete": "configuration: deletion",
  "source.rotate": "configuration: change",
  "source.test": "configuration: info",
  "siem.create": "configuration: creation",
  "siem.update": "configuration: change",
  "siem.delete": "configuration: deletion",
  "siem.enable": "configuration: change",
  "siem.disable": "configuration: change",
  "siem.test": "configuration: info",
  "siem.backlog_warning": "configuration: info",
  "siem.replay": "configuration: info",
  "siem.discard": "configuration: deletion",
  "siem.test_connection": "configuration: info",
  "public-key.register": "iam: creation",
  "public-key.delete": "iam: deletion",
  "proxy.invoke": "api: access",
  "proxy.refuse": "api: access",
};

describe("category and type", () => {
  it("are written down for the whole catalogue", ({ expect }) => {
    expect(KNOWN_ACTIONS.map(([action]) => action).filter((action) => !(action in CATALOGUE))).toEqual([]);
  });

  it.for(Object.entries(CATALOGUE))("%s is %s", ([action, expected], { expect }) => {
    expect(gist(action)).toBe(expected);
  });

  it.for([
    ["user.login.failed", "FAILURE", "authentication: start"],
    ["user.sign_in", "SUCCESS", "authentication: start"],
    ["session.logoff", "SUCCESS", "authentication: end"],
    ["user.login", "DENIED", "authentication: start"],
    ["user.export", "SUCCESS", "iam: user+info"],
    ["user.loginless", "SUCCESS", "iam: user+info"],
    ["group.add_member", "SUCCESS", "iam: group+creation"],
    ["role.revoke", "SUCCESS", "iam: deletion"],
    ["api_key.rotate", "SUCCESS", "iam: change"],
    ["api.request", "DENIED", "api: access+denied"],
    ["proxy.refuse", "DENIED", "api: access+denied"],
    ["api.request.denied", "FAILURE", "api: access+denied"],
    ["access.deny", "FAILURE", ": denied"],
    ["attestation.mint", "DENIED", ": denied"],
    ["settings.view", "SUCCESS", "configuration: access"],
    ["apiary.create", "SUCCESS", ": "],
  ] as const)("%s with %s is %s", ([action, outcome, expected], { expect }) => {
    expect(gist(action, outcome)).toBe(expected);
  });

  it("hold only what the schema allows together, whatever the action", ({ expect }) => {
    const words = fc.constantFrom(
      ..."user auth session api api-key role group scan siem organization invitation member login logout create update_role delete read deny denied start mfa x".split(
        " ",
      ),
    );
    const actions = fc.array(words, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("."));
    fc.assert(
      fc.property(actions, fc.constantFrom("SUCCESS", "FAILURE", "DENIED", "ODD"), (action, outcome) => {
        const { category = [], type = [] } = categoriesOf(action, outcome);
        for (const name of category) expect(ALLOWED[name]).toEqual(expect.arrayContaining([...type]));
        if (category.length === 0) expect(["", "denied"]).toContain(type.join());
        expect(new Set(type).size).toBe(type.length);
      }),
    );
  });
});

describe("a document", () => {
  it("holds what the schema has a place for, and the event itself", ({ expect }) => {
    const fields = {
      id: "evt_abc123",
      timestamp: "2026-06-30T12:34:56.789Z",
      tenant_id: "ten_1",
      actor_type: "USER",
      actor_id: "alice",
      action: "user.update_role",
      resource_type: "user",
      resource_id: "bob",
      service: "trust-registry",
      outcome: "DENIED",
      metadata: { ip: "203.0.113.7", user_agent: "curl/8.9", role: "admin" },
      integrity_hash: "sha256:00",
    };
    const over = { id: "evt_abc123", at: Date.parse(fields.timestamp), action: fields.action };
    expect(document(fields, over)).toEqual({
      "@timestamp": "2026-06-30T12:34:56.789Z",
      ecs: { version: "9.4.0" },
      event: {
        kind: "event",
        id: "evt_abc123",
        action: "user.update_role",
        category: ["iam"],
        type: ["user", "change"],
        outcome: "failure",
        dataset: "sluice.audit",
        provider: "trust-registry",
        ingested: "2026-06-30T12:45:00.000Z",
      },
      organization: { id: "ten_1" },
      service: { name: "trust-registry" },
      user: { id: "alice", target: { id: "bob" } },
      source: { ip: "203.0.113.7" },
      user_agent: { original: "curl/8.9" },
      related: { user: ["alice", "bob"], ip: ["203.0.113.7"] },
      sluice: fields,
    });
  });

  it("leaves out what the event does not have", ({ expect }) => {
    const bare = document({ action: "incident.create", actor_type: "SYSTEM", outcome: "PENDING" });
    expect(Object.keys(bare)).toEqual(["@timestamp", "ecs", "event", "sluice"]);
    expect(bare.event).toMatchObject({ outcome: "unknown" });
  });

  it.for([
    ["SUCCESS", "success"],
    ["FAILURE", "failure"],
    ["DENIED", "failure"],
    ["PENDING", "unknown"],
    [null, "unknown"],
  ] as const)("calls %s %s", ([outcome, expected], { expect }) => {
    expect(document({ outcome }).event.outcome).toBe(expected);
  });

  it("knows as users only those who are", ({ expect }) => {
    expect(document({ actor_id: "alice" }).user).toEqual({ id: "alice" });
    expect(document({ actor_type: "API_KEY", actor_id: "key_1" }).user).toBeUndefined();
    expect(document({ actor_type: "SYSTEM", resource_type: "USER", resource_id: "bob" }).user).toEqual({
      target: { id: "bob" },
    });
    expect(document({ actor_id: "alice", resource_type: "user", resource_id: "alice" }).related.user).toEqual(
      ["alice"],
    );
  });

  it.for<[unknown, string | undefined]>([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:203.0.113.7", "::ffff:cb00:7107"],
    ["256.1.1.1", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3", undefined],
    ["203.0.113.7, 10.0.0.1", undefined],
    ["203.0.113.7:443", undefined],
    ["fe80::1%eth0", undefined],
    ["1:2:3", undefined],
    ["localhost", undefined],
    [3_405_803_783, undefined],
    [["203.0.113.7"], undefined],
  ])(
    "reads the address %j as %s, since Elastic refuses a document for a bad one",
    ([ip, expected], { expect }) => {
      expect(document({ metadata: { ip } }).source?.ip).toBe(expected);
    },
  );

  it("finds address and browser under their usual names", ({ expect }) => {
    for (const name of ["ip", "source_ip", "ip_address", "sourceIPAddress"])
      expect(document({ metadata: { [name]: "::1" } }).source).toEqual({ ip: "::1" });
    expect(document({ metadata: { ip: "unknown", source_ip: "::1" } }).source).toEqual({ ip: "::1" });
    for (const name of ["user_agent", "userAgent"])
      expect(document({ metadata: { [name]: "x" } }).user_agent).toEqual({ original: "x" });
    expect(document({ metadata: { user_agent: "x".repeat(1_025) } }).user_agent).toBeUndefined();
  });

  it("parses, keeps the event's text and has no key twice, whatever the event", ({ expect }) => {
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 3 }));
    const names = fc.oneof(
      fc.constantFrom(
        ..."id actor_type actor_id action resource_type resource_id service outcome tenant_id metadata @timestamp event sluice user __proto__ constructor".split(
          " ",
        ),
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(names, value), fc.boolean(), (fields, spaced) => {
        const json = JSON.stringify(fields).replaceAll("/", spaced ? "\\/" : "/");
        const text = ecsDocument(event({ json }), NOW);
        expect(parseJson(text).ok).toBe(true);
        expect(text).not.toMatch(/[\n\r]/);
        expect(text.endsWith(`,"sluice":${json}}`)).toBe(true);
        const head = `${text.slice(0, -`,"sluice":${json}}`.length)}}`;
        const again = JSON.stringify(JSON.parse(head));
        expect(again.length).toBe(head.length); // a key that stood twice would have been lost
        expect(Object.keys(JSON.parse(head))).not.toContain("sluice");
      }),
      { numRuns: 500 },
    );
  });

  it("keeps numbers and escapes that a parser would change", ({ expect }) => {
    const json = '{"a":1.0,"big":12345678901234567890,"b":"\\u00e9\\/"}';
    expect(ecsDocument(event({ json }), NOW)).toContain(`,"sluice":${json}}`);
  });
});
