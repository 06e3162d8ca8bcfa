import { Alert, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Facts } from '../parts/facts.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { countOf, moneyOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { ApplicationActs, EnableEndpointAct } from './application-acts.tsx';
import { KeysPart } from './keys-part.tsx';
import { StoresPart } from './stores-part.tsx';
import { APPLICATION_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

const EVERY_MS = 10_000;

type Application = Schemas['Application'];

export function ApplicationPage() {
  const { id } = useParams({ from: '/$mode/applications/$id' });
  const application = useQuery({
    queryKey: ['application', id],
    queryFn: () => dataOf(api.GET('/admin/apps/{id}', { params: { path: { id: Number(id) } } })),
    // Another person may confirm what waits.
    refetchInterval: EVERY_MS,
  });
  return <LoadedPage asked={application}>{(data) => <Detail application={data} />}</LoadedPage>;
}

function Detail({ application }: { readonly application: Application }) {
  const words = useWords(APPLICATION_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const { id, refundApprovalThresholdMinor: thresholdMinor } = application;
  const mayManage = may('app:manage', id);
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Stack gap={0}>
          <Title order={1} size="h3" className="breaks">
            {application.name}
          </Title>
          <Text c="dimmed">{words.statuses[application.status]}</Text>
        </Stack>
        {mayManage && <ApplicationActs application={application} />}
      </Group>
      {application.pendingChanges.length > 0 && <Alert color="orange">{words.waits}</Alert>}
      <Disabled application={application} mode="LIVE" mayManage={mayManage} />
      <Disabled application={application} mode="TEST" mayManage={mayManage} />
      <Facts
        facts={[
          [words.webhookUrl, application.webhookUrl ?? words.none],
          [words.testWebhookUrl, application.testWebhookUrl ?? words.none],
          [
            words.thresholdBdt,
            thresholdMinor === null
              ? words.noThreshold
              : moneyOf({ amountMinor: thresholdMinor, currency: 'BDT' }, language),
          ],
          [words.expiryMinutes, countOf(application.expiryMinutes, language)],
          [words.policy, words.policies[application.unappliedPaymentPolicy]],
          [words.returnOrigins, application.returnOrigins.join(' ') || words.none],
          [words.checkout, application.checkoutGateways?.join(', ') ?? words.byDefault],
          [words.created, <Instant key="at" at={application.createdAt} />],
        ]}
      />
      <KeysPart application={application} />
      <StoresPart application={application} />
    </Stack>
  );
}

function Disabled({
  application,
  mode,
  mayManage,
}: {
  readonly application: Application;
  readonly mode: 'TEST' | 'LIVE';
  readonly mayManage: boolean;
}) {
  const words = useWords(APPLICATION_WORDS);
  const { language } = useLanguage();
  const disabled = mode === 'LIVE' ? application.webhookDisabled : application.testWebhookDisabled;
  if (disabled === null) {
    return null;
  }
  const reason = words.disabledReasons[disabled.reason] ?? disabled.reason;
  return (
    <Alert color="red">
      <Stack align="flex-start" gap="xs">
        <Text>{words.endpointDisabled(mode, reason, shortInstantOf(disabled.since, language))}</Text>
        {mayManage && <EnableEndpointAct id={application.id} mode={mode} />}
      </Stack>
    </Alert>
  );
}
