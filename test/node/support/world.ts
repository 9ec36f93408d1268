import { afterAll } from "vitest";
import { SimulatorClient } from "../../simulator/client.ts";
import { type Simulator, startSimulator } from "../../simulator/server.ts";
import { RelayProcess } from "./relay.ts";

export interface World {
  readonly relay: RelayProcess;
  readonly simulator: Simulator;
  /** The simulator's control. */
  readonly siem: SimulatorClient;
}

/** The relay as its own process and a simulator of SIEMs, for the tests of one file; both end with them. */
export async function openWorld(): Promise<World> {
  const relay = new RelayProcess();
  const simulator = await startSimulator();
  afterAll(() => Promise.all([relay.dispose(), simulator.close()]));
  await relay.start();
  return { relay, simulator, siem: new SimulatorClient(simulator.url) };
}
