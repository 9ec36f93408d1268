import { untilAborted } from "./abort.ts";

/** What was read of an answer's body. */
export interface CappedBody {
  readonly body: string;
  readonly bodyIncomplete: boolean;
}

/**
 * Reads at most `maxBytes` and cancels the rest, since an unread body would occupy one of the few connections.
 * A body that breaks off or runs out of time is incomplete and no error: the status was certain before.
 */
export async function readCapped(
  response: Response,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<CappedBody> {
  if (response.body === null) return { body: "", bodyIncomplete: false };
  const reader = response.body.getReader();
  const decoder = new TextDecoder(); // lenient: a replacement character for what is not UTF-8
  let body = "";
  let left = maxBytes;
  try {
    for (;;) {
      const { done, value } = await untilAborted(reader.read(), signal);
      if (done) return { body: body + decoder.decode(), bodyIncomplete: false };
      body += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.byteLength;
      if (left < 0) break;
    }
  } catch {
    // Broken off: what came is kept, and said to be incomplete.
  }
  // Not awaited: a peer that hangs must not hold us up, and what it still has to say does not matter.
  reader.cancel().catch(() => {});
  return { body, bodyIncomplete: true };
}
