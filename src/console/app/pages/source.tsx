import { PageHead } from "../ui/parts.tsx";

export function SourcePage({ id }: { id: string }) {
  return <PageHead title={id} />;
}
