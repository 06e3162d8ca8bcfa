import { createTheme, MantineProvider, type CSSVariablesResolver } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from './api/client.ts';
import { loadEveryPage } from './pages.ts';
import { router } from './router.tsx';
import { SessionGate } from './session/session-gate.tsx';
import { ME } from './session/session.tsx';
import { LanguageProvider } from './words/language.tsx';

const TRIES = 2;
const theme = createTheme({
  primaryColor: 'teal',
  // White text on it is readable in both schemes.
  primaryShade: 9,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Bengali', sans-serif",
  defaultRadius: 'md',
});

/** Mantine's own are too faint for text (WCAG 2.2, 1.4.3). */
const readable: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#55645d', '--mantine-color-placeholder': '#66736d' },
  dark: { '--mantine-color-dimmed': '#b3bfb9', '--mantine-color-placeholder': '#a3b3ab' },
});

/** The whole dashboard. `nonce` permits its style sheets. */
export function Dashboard({ nonce }: { readonly nonce: string }) {
  const [queries] = useState(createQueries);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={readable}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <LanguageProvider>
        <QueryClientProvider client={queries}>
          <SessionGate onLoggedIn={loadEveryPage}>
            <RouterProvider router={router} />
          </SessionGate>
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>
  );
}

const SESSION_ENDED = new Set(['UNAUTHORIZED', 'TOKEN_EXPIRED', 'SESSION_EXPIRED']);

function createQueries(): QueryClient {
  // A session that has ended shows the login, wherever that was noticed.
  const onError = (error: Error): void => {
    if (error instanceof ApiError && SESSION_ENDED.has(error.code) && queries.getQueryData(ME.queryKey) !== null) {
      queries.setQueryData(ME.queryKey, null);
    }
  };
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // Without a connection a change fails at once. It is never kept and sent later, when the person may have thought better of it.
      mutations: { networkMode: 'always' },
      queries: {
        // Without a connection it says so, instead of waiting for one without a word.
        networkMode: 'always',
        refetchOnReconnect: true,
        retry: (failures, error) => isPassing(error) && failures < TRIES,
        staleTime: 10_000,
      },
    },
  });
  return queries;
}

/** Only what may pass by itself is tried again. Changes are never repeated without a person. */
function isPassing(error: Error): boolean {
  return !(error instanceof ApiError) || error.status === 503;
}
