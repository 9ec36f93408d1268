import { PageHead } from "../ui/parts.tsx";

export function IncidentsPage({ query }: { query: URLSearchParams }) {
  return <PageHead title={`Incidents ${query}`} />;
}
