/** The load generator: a process of its own, so that building and counting requests takes nothing from what is measured. */
import type { LoadJob } from "./job.ts";
import { runLoad } from "./run.ts";

process.on("message", (job: LoadJob) => {
  void runLoad(job).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
console.log("ready");
