import { PageHead } from "../ui/parts.tsx";

export function DestinationsPage() {
  return <PageHead title="SIEM destinations" />;
}
