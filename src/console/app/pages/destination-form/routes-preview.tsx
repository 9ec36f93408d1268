import { useEffect, useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useQuery } from "../../hooks.ts";
import { useMay } from "../../session.tsx";
import type { Problem } from "../../types.ts";
import { ProblemBox, Table } from "../../ui/parts.tsx";
import type { CatalogEntry, PreviewItem, Routes } from "../destination/model.ts";
import { apiOf } from "../destination/places.ts";
import { explain } from "./routes.ts";

/** After the last key press, before the relay is asked. */
const PATIENCE_MS = 400;

/** Where the known actions would go by these routes: the relay's own answer where it knows the destination. */
export function RoutesPreview({ routes, destinationId }: { routes: Routes; destinationId: string | null }) {
  const mayReadCatalogue = useMay()("audit:read");
  const catalogue = useQuery<{ data: readonly CatalogEntry[] }>(
    destinationId === null && mayReadCatalogue ? "/v1/audit/catalog" : null,
  );
  const asked = usePreview(destinationId, routes);
  const items = destinationId === null ? explain(routes, catalogue.data?.data ?? []) : asked.items;
  if (asked.problem !== null) {
    // A match that is only half typed is told at its field when the form is saved.
    return asked.problem.code === "invalid_input" ? null : <ProblemBox problem={asked.problem} />;
  }
  if (items.length === 0) return null;
  const sent = items.filter(({ delivered }) => delivered).length;
  return (
    <details class="preview">
      <summary aria-live="polite">
        Preview: {sent} of {items.length} known actions are sent
      </summary>
      <Table label="Where the known actions go" head={["Action", "Sent", "Index", "Why"]}>
        {items.map(({ action, delivered, index, reason }) => (
          <tr key={action}>
            <td>{action}</td>
            <td>{delivered ? "yes" : "no"}</td>
            <td>{delivered ? (index ?? "its own") : "–"}</td>
            <td class="quiet">{reason}</td>
          </tr>
        ))}
      </Table>
    </details>
  );
}

interface Asked {
  readonly items: readonly PreviewItem[];
  readonly problem: Problem | null;
}

function usePreview(destinationId: string | null, routes: Routes): Asked {
  const [asked, setAsked] = useState<Asked>({ items: [], problem: null });
  const wanted = JSON.stringify({ routes });
  useEffect(() => {
    if (destinationId === null) return;
    let isCurrent = true;
    const ask = async (): Promise<void> => {
      const headers = { "content-type": "application/json" };
      const answer = await call<{ data: readonly PreviewItem[] }>(
        "POST",
        apiOf(destinationId, "/routes/preview"),
        { body: wanted, headers, isBackground: true },
      );
      if (!isCurrent) return;
      setAsked(
        answer.ok ? { items: answer.value.data, problem: null } : { items: [], problem: answer.problem },
      );
    };
    const timer = window.setTimeout(() => void ask(), PATIENCE_MS);
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
  }, [destinationId, wanted]);
  return asked;
}
