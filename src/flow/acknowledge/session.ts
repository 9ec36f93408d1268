/**
 * Stage 5, acknowledge: did it really arrive? It knows which requests a provider has taken and not yet confirmed, asks
 * about them, and says which are confirmed and which are lost. What to do with their events is the lane's business.
 */
import type { Session } from "../../model/provider.ts";

/**
 * How a lane talks to a provider whose acknowledgements several machines count apart.
 *
 * One channel for all requests as long as a request can be found again by channel, cookie and ackId. Where that turns
 * out to be ambiguous (no cookie, and ackIds that repeat or run backwards: several indexers count on the same channel),
 * every request gets a channel of its own: then an indexer that does not know the channel answers "no", and nothing else
 * can be mistaken.
 */
export interface SessionState {
  readonly mode: "one_channel" | "fresh_channels";
  /** The balancer's cookie, from the latest answer that set one. */
  readonly cookie: string | null;
  /** Largest ackId heard on the one channel with that cookie. */
  readonly highest: number;
}

export const FIRST_SESSION: SessionState = { mode: "one_channel", cookie: null, highest: -1 };

/** What a request about to be sent has to remember of the session. */
export interface Ticket extends Session {
  /** The largest ackId heard before it was sent: its own must be larger if one machine counts. */
  readonly heard: number;
}

export function ticketFor(state: SessionState, newChannel: () => string): Ticket {
  const channel = state.mode === "fresh_channels" ? newChannel() : null;
  return { channel, cookie: state.cookie, heard: state.highest };
}

/** Where an answered request can be asked about: its own channel, and the cookie that its answer set or that it was sent with. */
export function sessionOf(ticket: Ticket, setCookie: string | null): Session {
  return { channel: ticket.channel, cookie: setCookie ?? ticket.cookie };
}

/**
 * What an answer teaches.
 *
 * @param isTwin another request with the same channel and cookie waits for the same ackId
 */
export function learn(
  state: SessionState,
  heard: {
    readonly ticket: Ticket;
    readonly ackId: number;
    readonly setCookie: string | null;
    readonly isTwin: boolean;
  },
): SessionState {
  const { ticket, ackId, setCookie, isTwin } = heard;
  // A changed cookie is another machine, which counts for itself; what the old one still owes is asked with the old cookie.
  if (setCookie !== null && setCookie !== state.cookie)
    return { ...state, cookie: setCookie, highest: ackId };
  if (ticket.channel !== null) return state;
  const isAmbiguous = ticket.cookie === null && (isTwin || ackId <= ticket.heard);
  if (isAmbiguous) return { ...state, mode: "fresh_channels" };
  return { ...state, highest: Math.max(state.highest, ackId) };
}
