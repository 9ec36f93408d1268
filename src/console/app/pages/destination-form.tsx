import { useQuery } from "../hooks.ts";
import { path } from "../router.ts";
import { useMay } from "../session.tsx";
import type { DestinationDetail } from "../types.ts";
import { Empty, Loading, PageHead, ProblemBox } from "../ui/parts.tsx";
import type { Provider } from "./destination/model.ts";
import { LIST, placeOf, TRAIL } from "./destination/places.ts";
import { DestinationForm } from "./destination-form/form.tsx";

const PROVIDERS = "/v1/audit/providers";

export function DestinationNewPage({ provider }: { provider: string | null }) {
  const { data, problem } = useQuery<{ data: readonly Provider[] }>(PROVIDERS);
  const chosen = data?.data.find(({ kind }) => kind === provider) ?? null;
  if (!useMay()("destinations:write")) return <NotAllowed />;
  const trail = chosen === null ? TRAIL : [...TRAIL, { to: `${LIST}/new`, label: "Add destination" }];
  return (
    <>
      <PageHead title={chosen === null ? "Add destination" : `Add ${chosen.title}`} trail={trail} />
      {data === null ? (
        problem === null ? (
          <Loading />
        ) : (
          <ProblemBox problem={problem} />
        )
      ) : chosen === null ? (
        <ProviderCards providers={data.data} />
      ) : (
        <DestinationForm provider={chosen} present={null} />
      )}
    </>
  );
}

export function DestinationEditPage({ id }: { id: string }) {
  const providers = useQuery<{ data: readonly Provider[] }>(PROVIDERS);
  const destination = useQuery<DestinationDetail>(`/v1/audit/siem/${encodeURIComponent(id)}`);
  const present = destination.data;
  const provider = providers.data?.data.find(({ kind }) => kind === present?.provider) ?? null;
  if (!useMay()("destinations:write")) return <NotAllowed />;
  return (
    <>
      <PageHead
        title={present === null ? "Edit destination" : `Edit ${present.name}`}
        trail={present === null ? TRAIL : [...TRAIL, { to: placeOf(id), label: present.name.slice(0, 60) }]}
      />
      <ProblemBox problem={destination.problem ?? providers.problem} />
      {present === null || provider === null ? (
        destination.problem === null && providers.problem === null ? (
          <Loading />
        ) : null
      ) : (
        <DestinationForm provider={provider} present={present} />
      )}
    </>
  );
}

function ProviderCards({ providers }: { providers: readonly Provider[] }) {
  return (
    <>
      <p>Where are the events to go?</p>
      <ul class="cards">
        {providers.map(({ kind, title, summary }) => (
          <li key={kind}>
            <a class="card" href={path("settings", "audit", "siem", "new", kind)}>
              <strong>{title}</strong>
              <span class="quiet">{summary}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

function NotAllowed() {
  return (
    <>
      <PageHead title="Destinations" trail={TRAIL} />
      <Empty title="This key changes no destinations">
        <p>It lacks the scope destinations:write.</p>
      </Empty>
    </>
  );
}
