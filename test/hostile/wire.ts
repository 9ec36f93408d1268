import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { readAnswers } from "./answers.ts";
import type { Reply, Shot } from "./shot.ts";

/** Longer than the longest honest answer: a last flush takes up to 30 s. */
const PATIENCE_MS = 45_000;
/** After this long without a byte, a request that is no request gets its end of stream, and the server its chance to close. */
const QUIET_MS = 300;
/** And then the connection is dropped: waiting for the rest of what was promised is the server's right. */
const LAST_WORD_MS = 1_500;
const SLOW_PIECES = 12;
const SLOW_PAUSE_MS = 60;

/**
 * Bare sockets, because no HTTP client sends what has to be sent here, and for speed. One exchange at a time; whole
 * requests share a connection for as long as the server keeps it.
 */
export class Wire {
  readonly #address: { readonly host: string; readonly port: number };
  #socket: Socket | null = null;

  constructor(origin: URL) {
    this.#address = { host: origin.hostname, port: Number(origin.port) };
  }

  /** Never rejects: whatever happens to the connection is part of the reply. */
  async send(shot: Shot): Promise<Reply> {
    if (shot.delivery !== "shared") this.close();
    const isReused = this.#socket !== null;
    const reply = await this.#exchange(shot);
    // A kept connection may have been closed by the server at that very moment, which says nothing about the request.
    // And to who still sends when an early answer has been given and the connection closed, the reset that this
    // provokes can come before the answer is read. A server that gives none closes the second time as well.
    const mayBeUnheard = isReused || shot.delivery === "slow";
    const isUnheard = mayBeUnheard && reply.end === "closed" && reply.answers.length === 0;
    if (isUnheard) this.close();
    return isUnheard ? this.#exchange(shot) : reply;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #exchange(shot: Shot): Promise<Reply> {
    const startedAt = performance.now();
    const socket = this.#socket ?? connect({ ...this.#address, noDelay: true });
    this.#socket = socket;
    const parts: Buffer[] = [];
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout;
      const finish = (end: Reply["end"]): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on("error", () => undefined);
        // A server closes connections that rest for some seconds.
        socket.on("close", () => {
          if (this.#socket === socket) this.#socket = null;
        });
        socket.resume();
        const { answers, rest, isLast } = readAnswers(Buffer.concat(parts), shot.isHead, end === "closed");
        if (end !== "open" || isLast || rest.length > 0 || shot.delivery !== "shared") this.close();
        resolve({ answers, rest, end, milliseconds: performance.now() - startedAt });
      };
      const wait = (): void => {
        clearTimeout(timer);
        if (shot.answers !== null) {
          timer = setTimeout(() => finish("timeout"), PATIENCE_MS);
          return;
        }
        timer = setTimeout(() => {
          socket.end();
          timer = setTimeout(() => finish("timeout"), LAST_WORD_MS);
        }, QUIET_MS);
      };
      socket.on("data", (bytes) => {
        parts.push(bytes);
        if (shot.answers === null) return wait();
        const { answers } = readAnswers(Buffer.concat(parts), shot.isHead, false);
        if (answers.length >= shot.answers) finish("open");
      });
      socket.on("error", () => undefined); // "close" follows
      socket.on("close", () => finish("closed"));
      wait();
      if (shot.delivery === "slow") void trickle(socket, shot.bytes);
      else socket.write(shot.bytes);
    });
  }
}

/** A sender that takes its time, in the head as well as in the body. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  const size = Math.ceil(bytes.length / SLOW_PIECES);
  for (let at = 0; at < bytes.length && socket.writable; at += size) {
    socket.write(bytes.subarray(at, at + size));
    await pause(SLOW_PAUSE_MS);
  }
}
