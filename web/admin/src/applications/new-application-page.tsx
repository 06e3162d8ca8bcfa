import { Alert, Button, Stack, Tabs, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Copyable } from '../parts/copyable.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useSensitive } from '../session/step-up.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { apiUrlOf } from './api-url.ts';
import { samplesOf } from './samples.ts';
import { APPLICATION_WORDS } from './words.ts';
import { useChange } from '../parts/use-change.ts';

const SHOWN_ONCE = [
  'testApiKey',
  'testApiSecret',
  'testSigningSecret',
  'liveApiKey',
  'liveApiSecret',
  'signingSecret',
] as const;

/** Two steps: what the application is called and where its events go, then what its developer needs, which is shown once. */
export function NewApplicationPage() {
  const words = useWords(APPLICATION_WORDS);
  const sensitive = useSensitive();
  const queries = useQueryClient();
  const create = useChange({
    mutationFn: (form: FormData) =>
      sensitive(words.createTitle, () =>
        dataOf(
          api.POST('/admin/apps', {
            body: {
              name: textOf(form, 'name'),
              webhookUrl: textOf(form, 'webhookUrl') || null,
              testWebhookUrl: textOf(form, 'testWebhookUrl') || null,
            },
          }),
        ),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['applications'] }),
  });
  return create.isSuccess ? (
    <Secrets registered={create.data} />
  ) : (
    <Stack maw={640}>
      <Title order={1} size="h3">
        {words.createTitle}
      </Title>
      <Text>{words.createWhy}</Text>
      <Form submit={(form) => create.mutate(form)}>
        <TextInput name="name" label={words.name} maxLength={100} required />
        <TextInput
          name="testWebhookUrl"
          type="url"
          label={words.testWebhookUrl}
          placeholder="https://shop.example/webhooks"
        />
        <TextInput name="webhookUrl" type="url" label={words.webhookUrl} placeholder="https://shop.example/webhooks" />
        {create.error !== null && <ErrorNotice error={create.error} isChange />}
        <Button type="submit" loading={create.isPending}>
          {words.createSubmit}
        </Button>
      </Form>
    </Stack>
  );
}

function Secrets({
  registered: { application, credentials },
}: {
  readonly registered: Schemas['RegisteredApplication'];
}) {
  const words = useWords(APPLICATION_WORDS);
  const { path } = useMode();
  const names = {
    testApiKey: words.testKey,
    testApiSecret: words.testSecret,
    testSigningSecret: words.testSigningSecret,
    liveApiKey: words.liveKey,
    liveApiSecret: words.liveSecret,
    signingSecret: words.signingSecret,
  };
  const samples = samplesOf({
    apiUrl: apiUrlOf(document),
    apiKey: credentials.testApiKey,
    apiSecret: credentials.testApiSecret,
  });
  return (
    <Stack maw={760}>
      <Title order={1} size="h3">
        {words.onceTitle}
      </Title>
      <Alert color="orange">{words.once}</Alert>
      {SHOWN_ONCE.map((name) => (
        <Copyable key={name} name={names[name]} text={credentials[name]} />
      ))}
      <Title order={2} size="h4">
        {words.samples}
      </Title>
      <Text>{words.samplesWhy}</Text>
      <Tabs defaultValue="curl">
        <Tabs.List>
          {Object.keys(samples).map((language) => (
            <Tabs.Tab key={language} value={language}>
              {language}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {Object.entries(samples).map(([language, text]) => (
          <Tabs.Panel key={language} value={language} pt="xs">
            <Copyable name={language} text={text} />
          </Tabs.Panel>
        ))}
      </Tabs>
      <Link to="/$mode/applications/$id" params={{ mode: path, id: application.id.toString() }}>
        {words.done}
      </Link>
    </Stack>
  );
}
