import { PageHead } from "../ui/parts.tsx";

export function VaultPage() {
  return <PageHead title="Vault" />;
}
