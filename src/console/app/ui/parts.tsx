import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useNow } from "../hooks.ts";
import type { Problem } from "../types.ts";
import { ago, moment } from "../words.ts";

/* The few parts that every page is made of. Text from outside is only ever a text node, never markup. */

export function PageHead({
  title,
  trail,
  children,
}: {
  title: string;
  trail?: readonly { readonly to: string; readonly label: string }[];
  children?: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return (
    <header class="page-head">
      {trail === undefined ? null : (
        <nav class="trail" aria-label="Breadcrumb">
          {trail.map(({ to, label }) => (
            <a key={to} href={to}>
              {label}
            </a>
          ))}
        </nav>
      )}
      <div class="page-title">
        <h1>{title}</h1>
        <div class="actions">{children}</div>
      </div>
    </header>
  );
}

type ButtonProps = {
  children: ComponentChildren;
  kind?: "primary" | "plain" | "danger";
  busy?: boolean;
  type?: "button" | "submit";
} & Partial<Pick<ButtonHTMLAttributes, "onClick" | "disabled" | "aria-label" | "title">>;

export function Button({
  children,
  kind = "plain",
  busy = false,
  type = "button",
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      class={`button ${kind}`}
      type={type}
      disabled={disabled === true || busy}
      aria-busy={busy}
      {...rest}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : null}
      {children}
    </button>
  );
}

export function LinkButton({
  to,
  children,
  kind = "plain",
}: {
  to: string;
  children: ComponentChildren;
  kind?: "primary" | "plain";
}) {
  return (
    <a class={`button ${kind}`} href={to}>
      {children}
    </a>
  );
}

/** The problem document's own words, with every fault that it lists. */
export function ProblemBox({ problem, id }: { problem: Problem | null; id?: string }) {
  if (problem === null) return null;
  return (
    <div class="notice bad" role="alert" {...(id === undefined ? {} : { id })}>
      <strong>{problem.title}</strong>
      <p>{problem.detail}</p>
      {problem.errors === undefined ? null : (
        <ul>
          {problem.errors.map((fault) => (
            <li key={`${fault.index ?? ""}/${fault.path}/${fault.message}`}>
              {fault.path === "" ? null : <code>{fault.path}</code>} {fault.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export function Notice({
  kind,
  children,
}: {
  kind: "good" | "warn" | "bad" | "info";
  children: ComponentChildren;
}) {
  return (
    <div class={`notice ${kind}`} role="status">
      {children}
    </div>
  );
}

/** What a person's act has come to. It takes the focus: the button that was pressed may be gone by now. */
export function Outcome({ children }: { children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <div class="notice good" role="status" tabIndex={-1} ref={box}>
      {children}
    </div>
  );
}

const TONES: Readonly<Record<string, string>> = {
  active: "good",
  delivered: "good",
  indexed: "good",
  accepted: "good",
  resolved: "good",
  closed: "quiet",
  open: "bad",
  acknowledged: "warn",
  degraded: "warn",
  waiting: "warn",
  retry: "warn",
  pending: "warn",
  failed: "bad",
  parked: "bad",
  hold: "bad",
  rejected: "bad",
  lost: "bad",
  disabled: "quiet",
  P1: "bad",
  P2: "warn",
  P3: "info",
  P4: "quiet",
};

/** A state in its own word; the colour only repeats it. */
export function Badge({ word, tone }: { word: string; tone?: string }) {
  return <span class={`badge ${tone ?? TONES[word] ?? "info"}`}>{word}</span>;
}

export function Ago({ at }: { at: string | null }) {
  const now = useNow();
  return at === null ? (
    <span class="quiet">never</span>
  ) : (
    <time dateTime={at} title={moment(at)}>
      {ago(at, now)}
    </time>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [word, setWord] = useState(label);
  useEffect(() => {
    if (word === label) return;
    const timer = window.setTimeout(() => setWord(label), 2_000);
    return () => window.clearTimeout(timer);
  }, [word, label]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setWord("Copied"),
      () => setWord("Select and copy by hand"),
    );
  };
  return (
    <button class="button plain copy" type="button" onClick={copy} aria-live="polite">
      {word}
    </button>
  );
}

export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <section class="code-block" aria-label={label}>
      {/* Long lines scroll, so the keyboard must be able to reach them. */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} />
    </section>
  );
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  fault?: string | undefined;
  /** Gets the ids that tie the input to its label, hint and fault. */
  children: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren;
}

export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId();
  return (
    <div class={`field ${fault === undefined ? "" : "faulty"}`}>
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-hint`, "aria-invalid": fault !== undefined })}
      <div id={`${id}-hint`} class="hint">
        {fault === undefined ? hint : <span class="fault">{fault}</span>}
      </div>
    </div>
  );
}

/** A dialog that holds the focus while it is open, and gives it back to where it came from. */
export function Modal({
  title,
  children,
  onClose,
}: {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isGone = useRef(false);
  const id = useId();
  // Before anything is painted: no key that is pressed meanwhile may go astray.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      isGone.current = true;
      element?.close(); // what lies behind it can take the focus again
      returnFocus(before);
    };
  }, []);
  const cancel = (event: Event): void => {
    event.preventDefault();
    onClose();
  };
  return (
    // A browser closes it without asking when Escape is pressed again and again.
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={cancel}
      onClose={() => (isGone.current ? undefined : onClose())}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** To the page itself, where what had it is gone or cannot take it: else the keyboard would begin at the top. */
function returnFocus(before: Element | null): void {
  if (before instanceof HTMLElement && before.isConnected) before.focus();
  if (document.activeElement === document.body) document.getElementById("main")?.focus();
}

/** Says what will happen, and asks once. */
export function Confirm({
  title,
  children,
  word,
  isDanger = true,
  busy,
  onYes,
  onNo,
}: {
  title: string;
  children: ComponentChildren;
  word: string;
  isDanger?: boolean;
  busy: boolean;
  onYes: () => void;
  onNo: () => void;
}) {
  return (
    <Modal title={title} onClose={onNo}>
      {children}
      <div class="actions">
        <Button onClick={onNo}>Cancel</Button>
        <Button kind={isDanger ? "danger" : "primary"} busy={busy} onClick={onYes}>
          {word}
        </Button>
      </div>
    </Modal>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A sentence of the relay's own, in which `backticks` mark what is typed as it stands. */
export function Prose({ text }: { text: string }) {
  return (
    <>
      {text.split("`").map((part, at) => (at % 2 === 1 ? <code key={`${at}/${part}`}>{part}</code> : part))}
    </>
  );
}

export function Loading() {
  return (
    <p class="quiet" role="status">
      <span class="spinner" aria-hidden="true" /> Loading …
    </p>
  );
}

/** A table that scrolls by itself on a narrow screen, and says its name. */
export function Table({
  label,
  head,
  numbers = [],
  children,
}: {
  label: string;
  head: readonly string[];
  /** Words of the head whose columns hold numbers (`td.number`). */
  numbers?: readonly string[];
  children: ComponentChildren;
}) {
  return (
    <section class="table" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((word) => (
              <th key={word} scope="col" class={numbers.includes(word) ? "number" : ""}>
                {word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Tabs({
  tabs,
  current,
  to,
}: {
  tabs: readonly (readonly [id: string, label: string])[];
  current: string;
  to: (id: string) => string;
}) {
  return (
    <nav class="tabs" aria-label="Views">
      {tabs.map(([id, label]) => (
        <a key={id} href={to(id)} aria-current={id === current ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

/** One line of numbers without axes; the label says in words what it shows. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const top = Math.max(1, ...values);
  const step = values.length > 1 ? 100 / (values.length - 1) : 100;
  const points = values.map(
    (value, at) => `${(at * step).toFixed(1)},${(23 - (value / top) * 22).toFixed(1)}`,
  );
  return (
    <svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}
