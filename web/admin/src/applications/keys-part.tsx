import { Alert, Group, NativeSelect, NumberInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { CONTRACTS } from '../../../../domain/contract.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { Copyable } from '../parts/copyable.tsx';
import { textOf } from '../parts/form.tsx';
import { DataTable } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import type { Language } from '../../../language.ts';
import { countOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { APPLICATION_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

type Application = Schemas['Application'];
type Credential = Schemas['Credential'];
type Issued = Schemas['IssuedCredential'] | Schemas['RotatedCredentials'];

const GRACE_HOURS = 24;

/** The keys of the mode that is shown. */
export function KeysPart({ application }: { readonly application: Application }) {
  const words = useWords(APPLICATION_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const may = useMay();
  const { id } = application;
  const mayManage = may('app:manage', id);
  const keys = useQuery({
    queryKey: ['application', id.toString(), 'keys'],
    queryFn: () => dataOf(api.GET('/admin/apps/{id}/credentials', { params: { path: { id } } })),
    select: (all) => all.filter((key) => key.mode === mode),
  });
  const instant = (moment: string | null, otherwise: string): string =>
    moment === null ? otherwise : shortInstantOf(moment, language);
  return (
    <Stack component="section" gap="xs">
      <Group justify="space-between">
        <Title order={2} size="h4">
          {words.keys} ({mode})
        </Title>
        {mayManage && <KeyActs application={application} />}
      </Group>
      <Loaded asked={keys}>
        {(rows) => (
          <DataTable
            label={words.keys}
            rows={rows}
            keyOf={(key) => key.id}
            columns={[
              { name: words.key, cell: (key) => nameOf(key, language) },
              { name: words.issued, from: 'sm', cell: ({ createdAt }) => <Instant at={createdAt} /> },
              { name: words.contract, from: 'sm', cell: ({ contract }) => contract },
              { name: words.status, cell: ({ status }) => words.keyStatuses[status] },
              { name: words.lastUsed, from: 'md', cell: ({ lastUsedAt }) => instant(lastUsedAt, words.never) },
              { name: words.expires, from: 'lg', cell: ({ expiresAt }) => instant(expiresAt, '–') },
              {
                name: words.revoke,
                cell: (key) => mayManage && key.status !== 'REVOKED' && <RevokeAct id={id} credential={key} />,
              },
            ]}
          />
        )}
      </Loaded>
    </Stack>
  );
}

function KeyActs({ application: { id, name } }: { readonly application: Application }) {
  const words = useWords(APPLICATION_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const params = { path: { id } };
  const refresh = [['application', id.toString()], ['changes']];
  const contract = <NativeSelect name="contract" label={words.contract} defaultValue="native" data={[...CONTRACTS]} />;
  return (
    <Group gap="xs">
      <Act
        size="xs"
        label={words.issue}
        what={words.issueAct(name)}
        run={(form) =>
          dataOf(
            api.POST('/admin/apps/{id}/credentials', {
              params,
              body: { mode, contract: contractOf(form), ...labelOf(form) },
            }),
          )
        }
        refresh={refresh}
        done={(issued) => <NewKey issued={issued} />}
      >
        {contract}
        <TextInput name="label" label={words.label} maxLength={100} />
      </Act>
      <Act
        size="xs"
        label={words.rotate}
        what={words.rotateAct(name, mode)}
        run={(form) =>
          dataOf(
            api.POST('/admin/apps/{id}/credentials/rotate', {
              params,
              body: { mode, contract: contractOf(form), graceHours: Number(textOf(form, 'graceHours')) },
            }),
          )
        }
        refresh={refresh}
        done={(issued) => <NewKey issued={issued} />}
      >
        {contract}
        <NumberInput
          name="graceHours"
          label={words.graceHours}
          description={words.graceNote}
          defaultValue={GRACE_HOURS}
          min={0}
          required
          hideControls
        />
      </Act>
      <Act
        size="xs"
        label={words.rotateSecret}
        what={words.rotateSecretAct(name, mode)}
        run={(form) =>
          dataOf(
            api.POST('/admin/apps/{id}/signing-secret/rotate', {
              params,
              body: { mode, overlapHours: Number(textOf(form, 'overlapHours')) },
            }),
          )
        }
        refresh={refresh}
        done={({ signingSecret, previousSecretExpiresAt }) => (
          <Stack>
            <Alert color="orange">{words.once}</Alert>
            <Copyable name={words.secret} text={signingSecret} />
            <Text>{words.overlap(shortInstantOf(previousSecretExpiresAt, language))}</Text>
          </Stack>
        )}
      >
        <NumberInput
          name="overlapHours"
          label={words.overlapHours}
          defaultValue={GRACE_HOURS}
          min={1}
          required
          hideControls
        />
      </Act>
    </Group>
  );
}

function NewKey({ issued: { apiKey, apiSecret, business, status } }: { readonly issued: Issued }) {
  const words = useWords(APPLICATION_WORDS);
  return (
    <Stack>
      <Alert color="orange">
        {words.once} {status === 'PENDING' && words.waits}
      </Alert>
      <Copyable name={words.apiKey} text={apiKey} />
      {apiSecret !== null && <Copyable name={words.apiSecret} text={apiSecret} />}
      {business !== null && (
        <>
          <Copyable name={words.clientId} text={business.clientId} />
          <Copyable name={words.businessId} text={business.businessId} />
        </>
      )}
    </Stack>
  );
}

function RevokeAct({ id, credential }: { readonly id: number; readonly credential: Credential }) {
  const words = useWords(APPLICATION_WORDS);
  const { language } = useLanguage();
  return (
    <Act
      size="xs"
      color="red"
      label={words.revoke}
      what={words.revokeAct(nameOf(credential, language))}
      run={() =>
        dataOf(
          api.POST('/admin/apps/{id}/credentials/{credentialId}/revoke', {
            params: { path: { id, credentialId: credential.id } },
          }),
        )
      }
      refresh={[['application', id.toString()], ['changes']]}
    >
      <Note>{words.revokeNote}</Note>
    </Act>
  );
}

/** A native key shows nothing of itself, so its number names it. */
function nameOf({ id, prefix, label }: Credential, language: Language): string {
  return [`№ ${countOf(id, language)}`, prefix === null ? null : `${prefix}…`, label]
    .filter((part) => part !== null)
    .join(' ');
}

function contractOf(form: FormData) {
  return CONTRACTS.find((one) => one === textOf(form, 'contract')) ?? 'native';
}

function labelOf(form: FormData): { label?: string } {
  const label = textOf(form, 'label');
  return label === '' ? {} : { label };
}
