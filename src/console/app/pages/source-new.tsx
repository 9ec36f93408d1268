import { PageHead } from "../ui/parts.tsx";

export function SourceNewPage() {
  return <PageHead title="Add source" />;
}
