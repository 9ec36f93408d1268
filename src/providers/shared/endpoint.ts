import { err, ok, type Result } from "../../base/result.ts";

/**
 * A URL as people type or paste it: with or without a scheme, with or without a port.
 * Query and fragment are dropped, since secrets are pasted there; credentials before the host are refused,
 * because they would be shown with the endpoint. Whether the address may be called is the guard's question.
 *
 * @returns the parsed URL, or a sentence
 */
export function typedUrl(typed: string): Result<URL, string> {
  const text = typed.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.parse(withScheme);
  if (text === "" || url === null) return err("Expected a URL or host, like https://siem.example.com:8088");
  if (url.protocol !== "https:" && url.protocol !== "http:") return err("Expected an https:// URL");
  if (url.username !== "" || url.password !== "")
    return err("Expected no user name or password in the URL; secrets have fields of their own");
  url.search = "";
  url.hash = "";
  return ok(url);
}
