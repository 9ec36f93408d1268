import { PageHead } from "../ui/parts.tsx";

export function EventsPage({ batchId }: { batchId: string | null }) {
  return <PageHead title={`Events ${batchId ?? ""}`} />;
}
