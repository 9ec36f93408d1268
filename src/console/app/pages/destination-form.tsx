import { PageHead } from "../ui/parts.tsx";

export function DestinationNewPage({ provider }: { provider: string | null }) {
  return <PageHead title={`Add destination ${provider ?? ""}`} />;
}

export function DestinationEditPage({ id }: { id: string }) {
  return <PageHead title={`Edit ${id}`} />;
}
