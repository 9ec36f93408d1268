import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../api.ts";
import type { Page, Problem } from "../../types.ts";
import { Button, ProblemBox } from "../../ui/parts.tsx";
import { count } from "../../words.ts";
import type { DeadLetter } from "./model.ts";
import { apiOf } from "./places.ts";

/** Saves all dead letters as NDJSON, one whole dead letter a line, page by page through the API; can be stopped. */
export function ExportButton({ id }: { id: string }) {
  const [read, setRead] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isWanted = useRef(false);
  useEffect(
    () => () => {
      isWanted.current = false;
    },
    [],
  );
  const stop = (): void => {
    isWanted.current = false;
    setRead(null);
  };
  const run = async (): Promise<void> => {
    isWanted.current = true;
    setProblem(null);
    setRead(0);
    const lines: string[] = [];
    let cursor: string | null = null;
    do {
      const at: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await get<Page<DeadLetter>>(apiOf(id, `/dead-letters?limit=100${at}`), true);
      if (!isWanted.current) return;
      if (!answer.ok) {
        setProblem(answer.problem);
        return stop();
      }
      lines.push(...answer.value.data.map((letter) => `${JSON.stringify(letter)}\n`));
      setRead(lines.length);
      cursor = answer.value.next_cursor;
    } while (cursor !== null);
    save(lines, `dead-letters-${id}.ndjson`);
    stop();
  };
  return (
    <>
      {read === null ? (
        <Button onClick={() => void run()}>Export as NDJSON</Button>
      ) : (
        <>
          <span role="status">{count(read)} read …</span>
          <Button onClick={stop}>Stop</Button>
        </>
      )}
      <ProblemBox problem={problem} />
    </>
  );
}

function save(lines: readonly string[], name: string): void {
  const url = URL.createObjectURL(new Blob([...lines], { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the file by then; before, it would find nothing.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
