import { unreachable } from "../base/result.ts";
import type { Refusal } from "../model/ingest.ts";
import type { Denial } from "./authorize.ts";

/** An outage of the vault is mostly one of the key service behind it, and short. */
const VAULT_RETRY_SECONDS = 5;

const NOTHING = "Nothing was sent.";

/** What a caller is told of a call that was not made. */
export function refusalOf(denial: Denial, operation: string): Refusal {
  switch (denial.reason) {
    case "no_such_integration":
      return { code: "not_found", detail: "There is no such integration." };
    case "operation_not_allowed":
      return { code: "operation_not_allowed", detail: notAllowed(operation, denial.allowed) };
    case "switched_off":
      return { code: "conflict", detail: `The integration is switched off. ${NOTHING}` };
    case "no_registered_key":
      return {
        code: "conflict",
        detail: `This API key has no public key that the answer could be encrypted to. ${NOTHING} Register one with POST /api/v2/keys {"algorithm": "ML-KEM-768", "public_key": "<base64>"} and call again.`,
      };
    case "invalid_payload":
      return {
        code: "invalid_input",
        detail: `The payload is not acceptable. ${NOTHING}`,
        errors: denial.faults,
      };
    case "settings_unusable":
      return {
        code: "conflict",
        detail: `The integration's settings are not acceptable any more. ${NOTHING} Change them and call again.`,
        errors: denial.faults,
      };
    case "vault_unavailable":
      return {
        code: "unavailable",
        detail: `The vault cannot be opened at the moment. ${NOTHING}`,
        retryAfterSeconds: VAULT_RETRY_SECONDS,
      };
    default:
      return unreachable(denial);
  }
}

function notAllowed(operation: string, allowed: readonly string[]): string {
  const list =
    allowed.length === 0 ? "Nothing is in its allowed_operations" : `It allows ${allowed.join(", ")}`;
  return `The integration does not allow ${operation}. ${list}. ${NOTHING}`;
}
