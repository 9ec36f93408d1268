/**
 * Queues and their consumers. A jurisdiction can only be given at creation, and a dead-letter queue must exist
 * and be in the same jurisdiction.
 *
 * @see https://developers.cloudflare.com/queues/configuration/data-location/ (read 2026-11)
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Account, Consumer, Queue } from "./account.ts";
import { ok, page, Refusal } from "./answers.ts";
import type { Route } from "./route.ts";

const CreateQueue = z.strictObject({
  queue_name: z.string().regex(/^[a-z0-9-]{1,63}$/),
  jurisdiction: z.enum(["eu", "us", "fedramp"]).optional(),
});

const PutConsumer = z.object({
  type: z.literal("worker"),
  script_name: z.string(),
  dead_letter_queue: z.string().optional(),
  settings: z.strictObject({
    batch_size: z.int().min(1).max(100).optional(),
    max_retries: z.int().min(0).max(100).optional(),
    max_wait_time_ms: z.int().min(0).max(60_000).optional(),
    max_concurrency: z.int().nullish(),
    retry_delay: z.int().optional(),
  }),
});

export const queueRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/queues",
    answer: ({ account, query }) => {
      const names = query.getAll("name");
      const found = account.queues.filter((queue) => names.length === 0 || names.includes(queue.queue_name));
      return page(found, query);
    },
  },
  {
    method: "POST",
    path: "/queues",
    answer: ({ account, json }) => {
      const wanted = CreateQueue.parse(json());
      if (account.queues.some((queue) => queue.queue_name === wanted.queue_name)) {
        throw new Refusal(409, 11009, `Queue name '${wanted.queue_name}' is already taken`);
      }
      const queue: Queue = {
        queue_id: randomUUID().replaceAll("-", ""),
        queue_name: wanted.queue_name,
        jurisdiction: wanted.jurisdiction ?? null,
        consumers: [],
      };
      account.queues.push(queue);
      return ok(queue);
    },
  },
  {
    method: "POST",
    path: "/queues/:id/consumers",
    answer: ({ account, parts, json }) => {
      const queue = find(account, parts["id"]);
      const wanted = checked(account, queue, PutConsumer.parse(json()));
      if (queue.consumers.length > 0) {
        throw new Refusal(400, 11004, `Queue ${queue.queue_name} already has a consumer`);
      }
      const consumer: Consumer = {
        consumer_id: randomUUID().replaceAll("-", ""),
        type: "worker",
        script: wanted.script_name,
        dead_letter_queue: wanted.dead_letter_queue,
        settings: wanted.settings,
      };
      queue.consumers.push(consumer);
      return ok(consumer);
    },
  },
  {
    method: "PUT",
    path: "/queues/:id/consumers/:consumer",
    answer: ({ account, parts, json }) => {
      const queue = find(account, parts["id"]);
      const consumer = queue.consumers.find((candidate) => candidate.consumer_id === parts["consumer"]);
      if (consumer === undefined) {
        throw new Refusal(404, 11001, "That consumer does not exist");
      }
      const wanted = checked(account, queue, PutConsumer.parse(json()));
      consumer.dead_letter_queue = wanted.dead_letter_queue;
      consumer.settings = wanted.settings;
      return ok(consumer);
    },
  },
];

function find(account: Account, id: string | undefined): Queue {
  const queue = account.queues.find((candidate) => candidate.queue_id === id);
  if (queue === undefined) {
    throw new Refusal(404, 11000, `The queue ${id} does not exist`);
  }
  return queue;
}

function checked(account: Account, queue: Queue, wanted: z.infer<typeof PutConsumer>) {
  if (!account.scripts.has(wanted.script_name)) {
    throw new Refusal(404, 11003, `The Worker ${wanted.script_name} does not exist`);
  }
  if (wanted.dead_letter_queue === undefined) {
    return wanted;
  }
  const dead = account.queues.find((candidate) => candidate.queue_name === wanted.dead_letter_queue);
  if (dead === undefined) {
    throw new Refusal(404, 11000, `The dead letter queue ${wanted.dead_letter_queue} does not exist`);
  }
  if (dead.jurisdiction !== queue.jurisdiction) {
    throw new Refusal(400, 11020, "A dead letter queue must be in the same jurisdiction as its queue");
  }
  return wanted;
}
