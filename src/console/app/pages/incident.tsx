import { PageHead } from "../ui/parts.tsx";

export function IncidentPage({ id }: { id: string }) {
  return <PageHead title={id} />;
}
