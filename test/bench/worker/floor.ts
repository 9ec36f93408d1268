/** What the runtime itself costs: a Worker that does the least that could be called taking a request. */
import { Hono } from "hono";

const app = new Hono();

/** Answers without looking at the body. */
app.post("/empty", () => new Response("{}", { status: 202 }));

/** Parses the body, and nothing else. */
app.post("/json", async (c) => {
  const isGzip = c.req.header("content-encoding") === "gzip";
  const body = c.req.raw.body;
  if (isGzip && body !== null) {
    await new Response(body.pipeThrough(new DecompressionStream("gzip"))).json();
  } else {
    await c.req.json();
  }
  return new Response("{}", { status: 202 });
});

export default app;
