import type { Destination } from "../../types.ts";
import { duration, plural } from "../../words.ts";

/** One thing that a person has to do, most urgent first where there are several. */
export interface Attention {
  readonly destination: Destination;
  readonly tone: "bad" | "warn";
  /** What is wrong, in a few words. */
  readonly what: string;
  /** One sentence: what to do. */
  readonly fix: string;
  /** The tab or page of the destination that mends it, and what its link says. */
  readonly tab: string;
  readonly link: string;
}

interface Trouble {
  readonly what: string;
  readonly fix: string;
  readonly tab: string;
  readonly link: string;
  /** Passes without anybody: told about, but not as something to do. */
  readonly isPassing?: boolean;
}

/** What each `status_reason.code` asks of a person; the same advice as docs/operations.md gives. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  credentials_rejected: {
    what: "The credentials are refused",
    fix: "Put in a valid secret, or give the present one the permission that the message names.",
    tab: "settings",
    link: "Replace the credentials",
  },
  config_rejected: {
    what: "The settings are refused",
    fix: "Correct what the provider names: the index, the path or the address.",
    tab: "edit",
    link: "Edit the settings",
  },
  unreachable: {
    what: "It cannot be reached",
    fix: "Check host and port, and that its firewall lets the relay in.",
    tab: "settings",
    link: "Test the connection",
  },
  tls_untrusted: {
    what: "Its certificate is not trusted",
    fix: "Install a certificate of a public authority for that host name.",
    tab: "settings",
    link: "Test the connection",
  },
  timeout: {
    what: "It does not answer in time",
    fix: "Look at the load of the receiver; the relay goes on trying.",
    tab: "deliveries",
    link: "See the attempts",
    isPassing: true,
  },
  throttled: {
    what: "It asks for a slower pace",
    fix: "Nothing, if it passes; otherwise raise the provider's limit.",
    tab: "deliveries",
    link: "See the attempts",
    isPassing: true,
  },
  provider_error: {
    what: "The provider fails",
    fix: "Look at the provider's own status if it lasts; the relay goes on trying.",
    tab: "deliveries",
    link: "See the attempts",
    isPassing: true,
  },
  gone: {
    what: "The receiver says that it is gone",
    fix: "Correct the address, or delete the destination.",
    tab: "edit",
    link: "Edit the address",
  },
  expired: {
    what: "Events stayed undelivered for 24 hours",
    fix: "Mend what the message names, then replay the dead letters.",
    tab: "dead-letters",
    link: "See the dead letters",
  },
};

/** Waiting for so long while all seems well means that more comes in than goes out. */
const BEHIND_MS = 15 * 60_000;

/** What is wrong with a destination in a few words; empty when nothing is. */
export function whatIsWrong({
  status,
  status_reason,
}: Pick<Destination, "status" | "status_reason">): string {
  if (status === "active" || status === "disabled" || status_reason === null) return "";
  return TROUBLES[status_reason.code]?.what ?? status_reason.code;
}

export function fixFor(code: string): string {
  return TROUBLES[code]?.fix ?? "";
}

/** Everything that needs a person, the nearest loss first. */
export function attentionOf(destinations: readonly Destination[], now: number): readonly Attention[] {
  return destinations
    .map((each) => ofOne(each, now))
    .filter((each) => each !== null)
    .toSorted((a, b) => urgency(a) - urgency(b));
}

function ofOne(destination: Destination, now: number): Attention | null {
  const { status, status_reason: reason, backlog, dead_letters: dead } = destination;
  if (status === "disabled") return null;
  const trouble = reason === null ? undefined : TROUBLES[reason.code];
  if (reason !== null && status !== "active") {
    return {
      destination,
      tone: status === "failed" || trouble?.isPassing !== true ? "bad" : "warn",
      what: trouble?.what ?? reason.code,
      fix: trouble?.fix ?? "Test the connection: it names the fix.",
      tab: trouble?.tab ?? "settings",
      link: trouble?.link ?? "Test the connection",
    };
  }
  if (dead !== null && dead > 0) {
    return {
      destination,
      tone: "warn",
      what: `${plural(dead, "event")} could not be delivered`,
      fix: "Read why, then replay them, fix and replay, or discard them.",
      tab: "dead-letters",
      link: "See the dead letters",
    };
  }
  const oldest = backlog?.oldest_at ?? null;
  if (oldest !== null && now - Date.parse(oldest) > BEHIND_MS) {
    return {
      destination,
      tone: "warn",
      what: `It is ${duration(now - Date.parse(oldest))} behind`,
      fix: "More comes in than it takes: raise the provider's limits, or send it less with routes.",
      tab: "health",
      link: "See its health",
    };
  }
  return null;
}

/** Losses by their time, then what is broken, then the rest. */
function urgency({ destination, tone }: Attention): number {
  const loss = destination.first_loss_at;
  const isBroken = destination.status !== "active";
  if (loss !== null && isBroken) return Date.parse(loss);
  return Number.MAX_SAFE_INTEGER - (tone === "bad" ? 1 : 0);
}
