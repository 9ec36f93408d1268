import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import type { Destination, Problem, TestReport } from "../../types.ts";
import { Button } from "../../ui/parts.tsx";
import type { Provider } from "../destination/model.ts";
import { apiOf } from "../destination/places.ts";
import { TestReportView } from "../destination/test-report.tsx";
import { bodyOfNew, type FormValues, missingIn } from "./values.ts";

/** Tries what stands in the form, before it is saved. */
export function TestPanel({
  provider,
  values,
  present,
  onRefusal,
}: {
  provider: Provider;
  values: FormValues;
  present: Destination | null;
  /** The settings were not even tried; the form shows why, at their fields. */
  onRefusal: (problem: Problem) => void;
}) {
  const [isBusy, setBusy] = useState(false);
  // With the values that it is about: a report on other ones would mislead.
  const [tested, setTested] = useState<{ report: TestReport; values: FormValues } | null>(null);
  const typed = Object.values(values.secrets).filter((secret) => secret !== "");
  const isUnsaved = present === null || typed.length > 0;
  const test = async (): Promise<void> => {
    setTested(null);
    const missing = missingIn(provider, values, isUnsaved);
    if (missing !== null) return onRefusal(missing);
    setBusy(true);
    const answer = isUnsaved
      ? await call<TestReport>("POST", "/v1/audit/siem/test", { body: bodyOfNew(provider, values) })
      : await call<TestReport>("POST", apiOf(present.id, "/test"));
    setBusy(false);
    if (answer.ok) setTested({ report: answer.value, values });
    else onRefusal(answer.problem);
  };
  return (
    <section class="card" aria-labelledby="test">
      <h2 id="test">Test connection</h2>
      <p class="quiet">
        {isUnsaved
          ? "Sends one test event with what stands above, and says stage by stage what works. Nothing is saved."
          : "Sends one test event with what is saved. To test what you have changed, type the secret in again: the stored one is not known to this page."}
      </p>
      {isBusy ? <p role="status">Testing; this can take half a minute where nothing answers …</p> : null}
      {tested === null ? null : (
        <>
          {tested.values === values ? null : <p class="quiet">You have changed something since this test.</p>}
          <TestReportView report={tested.report} />
        </>
      )}
      <Button busy={isBusy} onClick={() => void test()}>
        {isUnsaved ? "Test connection" : "Test what is saved"}
      </Button>
    </section>
  );
}
