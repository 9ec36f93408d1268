import { PageHead } from "../ui/parts.tsx";

export function DestinationPage({ id, tab }: { id: string; tab: string }) {
  return <PageHead title={`${id} ${tab}`} />;
}
