import { useState } from "preact/hooks";
import { call, enterTenant } from "../api.ts";
import { useAct, useQuery } from "../hooks.ts";
import { goTo } from "../router.ts";
import { useSession } from "../session.tsx";
import type { Page } from "../types.ts";
import { Ago, Button, Empty, Field, Loading, PageHead, ProblemBox, Table } from "../ui/parts.tsx";

interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
}

/** For the operator: who there is, and entering one of them. */
export function TenantsPage() {
  const { setSession } = useSession();
  const { data, problem, reload } = useQuery<Page<Tenant>>("/v1/tenants?limit=100");
  const [name, setName] = useState("");
  const act = useAct();
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    const made = await act.run(() => call<Tenant>("POST", "/v1/tenants", { body: { name } }));
    if (made === null) return;
    setName("");
    reload();
  };
  const enter = async (id: string): Promise<void> => {
    const session = await act.run(() => enterTenant(id));
    if (session === null) return;
    setSession(session);
    goTo("#/");
  };
  return (
    <>
      <PageHead title="Tenants" />
      <p class="quiet">Entering a tenant is recorded as an event on that tenant's own stream.</p>
      <ProblemBox problem={act.problem ?? problem} />
      <form class="filters" onSubmit={make}>
        <Field label="Name of a new tenant">
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={200}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" busy={act.isBusy}>
          Make tenant
        </Button>
      </form>
      {data === null ? (
        problem === null ? (
          <Loading />
        ) : null
      ) : data.data.length === 0 ? (
        <Empty title="There is no tenant yet" />
      ) : (
        <Table label="Tenants" head={["Name", "Open", "Id", "Made"]}>
          {data.data.map((tenant) => (
            <tr key={tenant.id}>
              <td class="name">
                <span class="clamp" dir="auto">
                  {tenant.name}
                </span>
              </td>
              <td>
                <Button onClick={() => void enter(tenant.id)} aria-label={`Enter ${tenant.name}`}>
                  Enter
                </Button>
              </td>
              <td>
                <code>{tenant.id}</code>
              </td>
              <td>
                <Ago at={tenant.created_at} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
