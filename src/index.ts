import { DurableObject } from "cloudflare:workers";
export class Lane extends DurableObject<Env> {
  hello(): string {
    return "hi";
  }
}
export default {
  async fetch(_request, env) {
    return new Response(await env.LANES.getByName("a").hello());
  },
  async queue() {},
} satisfies ExportedHandler<Env>;
