import { PageHead } from "../ui/parts.tsx";

export function SourcesPage() {
  return <PageHead title="Sources" />;
}
