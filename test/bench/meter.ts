import { cpuSeconds } from "./processes.ts";

/** Processor seconds since the meter was made; null where there is no /proc. */
export interface Used {
  readonly runtime: number | null;
  /** Of the load generator, the simulator and this process: all that is on the other cores. */
  readonly load: number | null;
}

export class Meter {
  readonly #runtime: number | null;
  readonly #load: readonly number[];
  readonly #before: Used;

  constructor(bench: { generator: { pid: number }; simulator: { pid: number } }, runtime: number | null) {
    this.#runtime = runtime;
    this.#load = [bench.generator.pid, bench.simulator.pid, process.pid];
    this.#before = this.#now();
  }

  read(): Used {
    const now = this.#now();
    const since = (name: keyof Used): number | null => {
      const [start, end] = [this.#before[name], now[name]];
      return start === null || end === null ? null : end - start;
    };
    return { runtime: since("runtime"), load: since("load") };
  }

  #now(): Used {
    const load = this.#load.map(cpuSeconds);
    return {
      runtime: cpuSeconds(this.#runtime),
      load: load.includes(null) ? null : load.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    };
  }
}

/** @returns null where there is nothing to divide */
export function per(amount: number | null, of: number): number | null {
  return amount === null || of === 0 ? null : amount / of;
}
