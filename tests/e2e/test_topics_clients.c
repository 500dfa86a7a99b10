/* Topics and clients that are not ours: what theirs send beyond what docs/topics.md asks of them. */
#include "support/text.h"
#include "support/web.h"

static struct web web;
static struct web_client a;

/* An id that is empty says nothing of where to begin: some clients send the field all the same. */
static void test_an_empty_last_event_id_is_none(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_publish(&web, "room", "one");
  web_publish(&web, "room", "two");
  web_stream_from(&a, "", "/t/room", "E.2");
  web_part(&a);
  web_stream_from(&a, " ", text_of("/t/room?since=%s", web_pos(&web, 1)), "E.1");
  web_expect(&a, "id: E.2\ndata: two");
}

/* Clients that are no browser's own say in the query what that says in the field; they too come back to
   the same URL. */
static void test_the_last_event_id_in_the_query(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  for (int i = 0; i < 3; i++)
    web_publish(&web, "room", "hi");
  web_stream(&a, text_of("/t/room?lastEventId=%s", web_pos(&web, 2)), "E.2");
  web_expect(&a, "id: E.3\ndata: hi");
  web_part(&a);
  web_stream(&a, text_of("/t/room?since=%s&lastEventId=%s", web_pos(&web, 1), web_pos(&web, 2)),
             "E.2");
  web_part(&a);
  web_stream_from(&a, web_pos(&web, 3), text_of("/t/room?lastEventId=%s", web_pos(&web, 2)), "E.3");
  web_part(&a);
  web_stream(&a, text_of("/t/room?lastEventId=&since=%s", web_pos(&web, 1)), "E.1");
  web_part(&a);
  web_refused(&a, WEB_SSE, "/t/room?lastEventId=x", 400, "bad-since");
  web_refused(&a, WEB_SSE, "/t/room?lastEventId=%zz", 400, "bad-since");
}

static void test_extensions_of_chunks_are_no_message(void **state) {
  (void)state;
  web_open(&web, NULL, NULL);
  web_send(&a,
           "POST /t/room HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
           "2;chunk-signature=0f\r\nhe\r\n3;a;b=\"\\\"\"\r\nllo\r\n0;chunk-signature=0f\r\nX: "
           "y\r\n\r\n");
  web_check(&a, 200, "{'pos':'E.1'}");
  web_ask(&a, "/t/room/history", 200, "{'messages':[{'pos':'E.1','data':'hello'}],'next':'E.1'}");
  web_send(&a, "POST /t/room HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
               "chunked\r\n\r\n2;\r\nhe\r\n0\r\n\r\n");
  web_check(&a, 400, NULL);
  web_part(&a);
  web_ask(&a, "/t/room/history", 200, "{'messages':[{'pos':'E.1','data':'hello'}],'next':'E.1'}");
}

#define TEST(name) cmocka_unit_test_teardown(name, web_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_an_empty_last_event_id_is_none),
      TEST(test_the_last_event_id_in_the_query),
      TEST(test_extensions_of_chunks_are_no_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
