import { connect, type Socket } from "node:net";

/** A whole answer. The body is empty unless it was asked for. */
export interface Answer {
  /** 0: the connection broke. */
  readonly status: number;
  readonly body: string;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/**
 * One keep-alive HTTP/1.1 connection with one request under way at a time.
 *
 * Bare sockets, because node:http costs more for each request than the relay that is to be measured: the generator
 * must not be the bottleneck. It understands what workerd answers (a length, or chunks) and nothing more; the text
 * of chunks is not put together.
 */
export class Connection {
  readonly #origin: URL;
  readonly #keepsBodies: boolean;
  #socket: Socket | null = null;
  #done: ((answer: Answer) => void) | null = null;
  #parts: Buffer[] = [];
  #received = 0;
  #status = 0;
  #isLast = false;
  /** Bytes of the answer with its head; -1 until the head is there, null for chunks. */
  #expected: number | null = -1;

  constructor(origin: URL, options: { readonly keepsBodies: boolean }) {
    this.#origin = origin;
    this.#keepsBodies = options.keepsBodies;
  }

  get isBusy(): boolean {
    return this.#done !== null;
  }

  /**
   * @param request whole or in parts, which leave together
   * @param done called once; may send the next request
   */
  send(request: readonly Buffer[], done: (answer: Answer) => void): void {
    this.#done = done;
    this.#parts = [];
    this.#received = 0;
    this.#expected = -1;
    const socket = this.#open();
    if (request.length > 1) socket.cork();
    for (const part of request) socket.write(part);
    if (request.length > 1) socket.uncork();
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    if (this.#socket !== null) return this.#socket;
    const socket = connect({ host: this.#origin.hostname, port: Number(this.#origin.port), noDelay: true });
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#finish({ status: 0, body: "" });
    });
    this.#socket = socket;
    return socket;
  }

  #read(bytes: Buffer): void {
    this.#received += bytes.length;
    if (this.#expected === -1) this.#readHead(bytes);
    else if (this.#keepsBodies) this.#parts.push(bytes);
    const isWhole =
      this.#expected === null
        ? bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
        : this.#expected !== -1 && this.#received >= this.#expected;
    if (!isWhole) return;
    if (this.#isLast) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    const text = this.#keepsBodies ? Buffer.concat(this.#parts).toString("utf8") : "";
    this.#finish({ status: this.#status, body: text.slice(text.indexOf("\r\n\r\n") + 4) });
  }

  #readHead(bytes: Buffer): void {
    this.#parts.push(bytes);
    const whole = this.#parts.length === 1 ? bytes : Buffer.concat(this.#parts);
    const end = whole.indexOf(HEAD_END);
    if (end < 0) return;
    const head = whole.toString("latin1", 0, end);
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#isLast = /\r\nconnection: *close/i.test(head); // workerd says so after answering a body that nobody read
    const isChunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#expected = isChunked ? null : end + HEAD_END.length + Number(length ?? 0);
  }

  #finish(answer: Answer): void {
    const done = this.#done;
    this.#done = null;
    done?.(answer);
  }
}
