import { describe, it } from "vitest";
import type { Outcome } from "../../src/model/delivery.ts";
import { ProxyResult } from "../../src/model/envelope.ts";
import type { HttpAnswer } from "../../src/model/http.ts";
import { resultOf } from "../../src/proxy/result.ts";

const answer: HttpAnswer = {
  kind: "response",
  status: 400,
  headers: {},
  body: "{}",
  bodyIncomplete: false,
  latency: 12,
};
const words = { httpStatus: 400, code: 7, message: "Incorrect index" };
const about = { operation: "send_event", integrationId: "int_1", body: "{}" };

function gist(outcome: Outcome) {
  const result = resultOf({ answer, outcome }, about);
  ProxyResult.parse(result);
  return [result.ok, result.outcome, result.maybe_taken];
}

describe("what a call came to", () => {
  const none = { retryAfter: null, trouble: null } as const;
  const refused = [{ index: 1, code: "mapper", message: "No" }];
  const table: readonly (readonly [Outcome, readonly [ok: boolean, outcome: string, maybeTaken: boolean]])[] =
    [
      [{ kind: "delivered", slowDown: false, ackId: 4, words }, [true, "delivered", false]],
      [
        { kind: "retry", trouble: "timeout", retryAfter: null, maybeTaken: true, words },
        [false, "timeout", true],
      ],
      [
        { kind: "retry", trouble: "throttled", retryAfter: 1_000, maybeTaken: false, words },
        [false, "throttled", false],
      ],
      [
        { kind: "hold", trouble: "credentials_rejected", committed: 0, offender: null, words },
        [false, "credentials_rejected", false],
      ],
      [
        { kind: "hold", trouble: "config_rejected", committed: 2, offender: 2, words },
        [false, "config_rejected", true],
      ],
      [{ kind: "isolate", committed: 0, offender: 0, words }, [false, "refused", false]],
      [{ kind: "isolate", committed: 3, offender: 3, words }, [false, "partial", true]],
      [{ kind: "partial", delivered: [0], refused, ...none, words }, [false, "partial", true]],
      [{ kind: "partial", delivered: [], refused, ...none, words }, [false, "refused", false]],
      [
        { kind: "partial", delivered: [], refused: [], trouble: "throttled", retryAfter: 5, words },
        [false, "throttled", false],
      ],
      [{ kind: "split", words }, [false, "too_large", false]],
      [{ kind: "fault", words }, [false, "malformed", false]],
    ];

  it.for(table)("%j", ([outcome, expected], { expect }) => {
    expect(gist(outcome)).toEqual(expected);
  });

  it("has the provider's words, code and status, and its own answer beside them", ({ expect }) => {
    expect(resultOf({ answer, outcome: { kind: "fault", words } }, about)).toMatchObject({
      http_status: 400,
      provider_code: 7,
      message: "Incorrect index",
      latency_ms: 12,
      body: "{}",
      operation: "send_event",
      integration_id: "int_1",
    });
  });

  it("names the events of a batch that fared differently, by their place in the payload", ({ expect }) => {
    const refused = Array.from({ length: 7 }, (_, index) => ({ index, code: null, message: `No ${index}` }));
    const outcome: Outcome = {
      kind: "partial",
      delivered: [7, 8],
      refused,
      trouble: null,
      retryAfter: null,
      words,
    };
    const { message } = resultOf({ answer, outcome }, about);
    expect(message).toContain("Taken: 2. Refused: events.0 (No 0); ");
    expect(message).toContain("events.4 (No 4); and 2 more.");
    const held: Outcome = { kind: "hold", trouble: "config_rejected", committed: 2, offender: 2, words };
    expect(resultOf({ answer, outcome: held }, about).message).toBe(
      "Incorrect index The first 2 events were taken, the rest was not. At fault is events.2.",
    );
  });
});
