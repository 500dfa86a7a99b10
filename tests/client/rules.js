// The rules of topics that both hubs of the tests have, as `coho serve --config` takes them.

export const rules = [
  { pattern: "short/#", "history-count": 3 },
  { pattern: "small/#", "max-subscribers": 1 },
];
