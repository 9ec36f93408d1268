import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "./types.ts";

export interface Signed {
  readonly session: Session;
  readonly setSession: (session: Session | null) => void;
}

export const SignedIn = createContext<Signed | null>(null);

export function useSession(): Signed {
  const signed = useContext(SignedIn);
  if (signed === null) throw new Error("A page was shown to nobody");
  return signed;
}

/** Whether who is signed in may do that; what one may not do is not shown at all. */
export function useMay(): (scope: string) => boolean {
  const { session } = useSession();
  return (scope) => mayDo(session, scope);
}

export function mayDo({ scopes }: Session, scope: string): boolean {
  return scopes.includes("*") || scopes.includes(scope);
}
