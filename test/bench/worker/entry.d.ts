/**
 * The relay's own Worker entry by its shape, for `counted.ts`; the bundler puts `src/index.ts` in its place.
 * By shape, because the benchmark's programs are typed for Node and the relay for the Worker runtime.
 */
declare module "relay:entry" {
  export interface QueueMessage {
    readonly id: string;
    readonly timestamp: Date;
    readonly body: unknown;
    readonly attempts: number;
    ack(): void;
    retry(options?: { delaySeconds?: number }): void;
  }

  export interface MessageBatch {
    readonly queue: string;
    readonly messages: readonly QueueMessage[];
  }

  const relay: {
    fetch(request: Request, env: object, ctx: object): Promise<Response>;
    queue(batch: MessageBatch, env: object): Promise<void>;
    scheduled(controller: object, env: object): Promise<void>;
  };
  export default relay;

  export interface SqlCursor {
    readonly rowsRead: number;
    readonly rowsWritten: number;
  }

  export interface LaneStorage {
    readonly sql: { exec(query: string, ...values: readonly unknown[]): SqlCursor };
    setAlarm(at: number): Promise<void>;
  }

  export class Poller {}

  export class Lane {
    constructor(ctx: { readonly storage: LaneStorage }, env: object);
    submit(submission: object): Promise<{ readonly taken: number }>;
    configure(tenantId: string, destinationId: string, revision: number): Promise<void>;
    alarm(): Promise<void>;
  }
}
