import { useEffect, useState } from "preact/hooks";

/** Where the page is: `#/settings/audit/siem/siem_1?tab=deliveries`. In the fragment, which no server and no log sees. */
export interface Place {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return {
    parts: path
      .split("/")
      .filter((part) => part !== "")
      .map(decode),
    query: new URLSearchParams(query),
  };
}

export function usePlace(): Place {
  const [hash, setHash] = useState(() => location.hash);
  useEffect(() => {
    const listen = (): void => setHash(location.hash);
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  }, []);
  return placeOf(hash);
}

export function goTo(path: string): void {
  location.hash = path.startsWith("#") ? path : `#${path}`;
}

/** Paths are ours; ids in them are encoded, so that nothing from outside can lead elsewhere. */
export function path(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
