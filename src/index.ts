import { fanOut, retryStranded, strand } from "./pipeline.ts";
import { pipelineDeps } from "./wire.ts";

export { Lane } from "./lane.ts";

export default {
  fetch() {
    return new Response("soon");
  },
  async queue(batch, env) {
    await (batch.queue.includes("-dead") ? strand : fanOut)(batch.messages, pipelineDeps(env));
  },
  async scheduled(_controller, env) {
    await retryStranded(pipelineDeps(env));
  },
} satisfies ExportedHandler<Env>;
