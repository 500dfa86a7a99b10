/* The report as one JSON document. */
#ifndef COHO_CMD_CHECK_REPORT_JSON_H
#define COHO_CMD_CHECK_REPORT_JSON_H

#include "runner.h"

#include <stdio.h>

/*
 * Writes it to out:
 *
 *   {"coho": "0.3.0", "role": "server", "agent": null, "url": "ws://localhost:9001/", "full": false,
 *    "date": "2026-01-31T12:00:00Z", "duration_ms": 5102,
 *    "summary": {"passed": 412, "failed": 1, "informational": 2, "unimplemented": 0},
 *    "cases": [{"id": "2.2", "title": "...", "rule": "RFC 6455 5.5.2", "verdict": "failed",
 *               "reason": "...", "duration_ms": 1003, "sent": "8105...", "sent_bytes": 11,
 *               "received": "", "received_bytes": 0}]}
 *
 * role is of the side under test; a client has an agent, a server a url. sent and received are the
 * last bytes of the case's last connection in hexadecimal, and null for a case that passed. False: it
 * could not be written whole.
 */
bool report_json(const struct check_report *report, FILE *out);

#endif
