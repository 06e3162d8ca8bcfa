// Improves the checkout page. Everything here also works without script: the page contains the deadline as text, <noscript> refreshes it, and forms
// are plain forms.
(() => {
  const { body } = document;
  const locale = document.documentElement.lang === 'bn' ? 'bn-BD' : 'en-GB';
  const pattern = /<body\s+data-state="([a-z_]+)"\s+data-refresh="(\d*)"/;
  const longestWaitSeconds = 300;
  let waitSeconds = Number(body.dataset.refresh);
  let timer = 0;
  let lastLook = Date.now();

  const plan = () => {
    clearTimeout(timer);
    if (waitSeconds > 0) {
      timer = setTimeout(look, Math.min(waitSeconds, 86400) * 1000);
    }
  };

  // Fetches the page again and reloads only if its state has changed: nothing flickers, the scroll position stays, and a short network failure does
  // not show the browser's error page.
  const look = async () => {
    if (document.hidden) {
      return;
    }
    lastLook = Date.now();
    try {
      const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(15000) });
      const found = answer.ok && pattern.exec(await answer.text());
      if (found && found[1] !== body.dataset.state) {
        location.reload();
        return;
      }
      waitSeconds = found ? Number(found[2]) : Math.min(Math.max(waitSeconds, 5) * 2, longestWaitSeconds);
    } catch {
      waitSeconds = Math.min(Math.max(waitSeconds, 5) * 2, longestWaitSeconds);
    }
    plan();
  };

  const left = document.querySelector('[data-left]');
  const units = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
  ];
  const start = Date.now();
  const count = () => {
    const seconds = Math.max(0, Math.floor(Number(left.dataset.left) - (Date.now() - start) / 1000));
    const [unit, size] = units.find(([, size]) => seconds >= 2 * size) ?? ['second', 1];
    const amount = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });
    left.textContent = left.dataset.words.replace('#time', () => amount.format(Math.floor(seconds / size)));
    left.classList.toggle('soon', seconds < 120);
    if (seconds > 0) {
      setTimeout(count, 1000);
    }
  };

  if (left) {
    count();
  }
  plan();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && body.dataset.refresh !== '' && Date.now() - lastLook > 3000) {
      void look();
    }
  });
  // A page from the back-forward cache shows an old state after the payer's visit to the gateway.
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      location.reload();
    }
  });
  // On a slow network a second tap would send the form twice. The server handles that, but it would confuse the payer.
  document.addEventListener('submit', (event) => {
    const button = event.submitter ?? event.target.querySelector('button');
    if (button.hasAttribute('aria-disabled')) {
      event.preventDefault();
      return;
    }
    button.setAttribute('aria-disabled', 'true');
    setTimeout(() => button.removeAttribute('aria-disabled'), 15000);
  });
  document.querySelector('[data-print]')?.addEventListener('click', () => print());
})();
