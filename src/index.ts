/** Worker entry: the ways in which the platform wakes the relay. No logic. */
import { createApi } from "./api/app.ts";
import { problemResponse } from "./api/problem.ts";
import { sweepUntold } from "./incidents.ts";
import { fanOut, retryStranded, strand } from "./pipeline.ts";
import { remindPollers } from "./pollers.ts";
import { apiDeps, incidentDepsOf, pipelineDeps, remindDepsOf, rewrapKeys } from "./wire.ts";

export { Lane } from "./lane.ts";
export { Poller } from "./poller.ts";

type Api = ReturnType<typeof createApi>;
/** One application for each address that the relay is asked under; nearly always one. */
const apis = new Map<string, Api>();

function apiAt(origin: string, env: Env): Api {
  const known = apis.get(origin);
  if (known !== undefined) return known;
  const api = createApi(apiDeps(env, origin));
  if (apis.size >= 8) apis.clear(); // an attacker's Host headers must not fill the memory
  apis.set(origin, api);
  return api;
}

/** A `Host` or target of which no URL can be made: Cloudflare's edge stops such requests, a local runtime does not. */
function nowhere(): Response {
  const detail = "The Host header and the target do not make an address.";
  return problemResponse({ code: "invalid_request", detail }, "");
}

export default {
  fetch(request, env, ctx) {
    const url = URL.parse(request.url);
    return url === null ? nowhere() : apiAt(url.origin, env).fetch(request, env, ctx);
  },
  async queue(batch, env) {
    const isDeadLetterQueue = batch.queue.includes("-dead");
    await (isDeadLetterQueue ? strand : fanOut)(batch.messages, pipelineDeps(env));
  },
  async scheduled({ scheduledTime }, env) {
    const reminded = remindPollers(scheduledTime, remindDepsOf(env));
    await Promise.all([
      reminded,
      sweepUntold(incidentDepsOf(env)),
      retryStranded(pipelineDeps(env)),
      rewrapKeys(env),
    ]);
  },
} satisfies ExportedHandler<Env>;
