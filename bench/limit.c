/* What one core can do at best: encrypt a packet of 1,200 bytes and hand it to the kernel.
 *
 * AES-128-CBC of libcrypto with a zero IV for each packet, then sendto, or sendmmsg for 32 at
 * a time, to a socket on the loopback that a thread on another core reads. Prints one JSON
 * object: microseconds of the sending thread's CPU for each packet.
 *
 *   cc -O2 -o limit limit.c -lcrypto -lpthread && ./limit [packets]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 1200, BATCH = 32, KEYS = 200 };

static unsigned char packets[BATCH][SIZE];
static EVP_CIPHER_CTX *keys[KEYS];
static int sender, receiver;
static atomic_long received;

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set); /* fails harmlessly if the machine has no such core */
}

static void *drain(void *unused) {
  static unsigned char buffers[BATCH][SIZE];
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){buffers[i], SIZE};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  pin(1);
  for (;;) {
    int count = recvmmsg(receiver, messages, BATCH, MSG_WAITFORONE, NULL);
    if (count > 0) received += count;
  }
  return unused;
}

/* Packets use KEYS keys in turn, as packets to different sessions do. */
static void encrypt(long n) {
  static const unsigned char zero[16];
  unsigned char *packet = packets[n % BATCH];
  EVP_CIPHER_CTX *key = keys[n % KEYS];
  int length;
  EVP_EncryptInit_ex(key, NULL, NULL, NULL, zero);
  EVP_EncryptUpdate(key, packet, &length, packet, SIZE);
}

static void send_one(long n) {
  if (send(sender, packets[n % BATCH], SIZE, 0) < 0) perror("send");
}

static void send_batch(void) {
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){packets[i], SIZE};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  if (sendmmsg(sender, messages, BATCH, 0) < BATCH) perror("sendmmsg");
}

enum { AES = 1, SENDTO = 2, SENDMMSG = 4 };

static double run(int what, long count) {
  double start = cpu();
  for (long n = 0; n < count; n++) {
    if (what & AES) encrypt(n);
    if (what & SENDTO) send_one(n);
    if ((what & SENDMMSG) && n % BATCH == BATCH - 1) send_batch();
  }
  return (cpu() - start) / count;
}

static int by_value(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return (d > 0) - (d < 0);
}

static double median(int what, long count) {
  double times[3];
  for (int i = 0; i < 3; i++) times[i] = run(what, count);
  qsort(times, 3, sizeof *times, by_value);
  return times[1];
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 200000;
  count -= count % BATCH;
  if (count <= 0) return fprintf(stderr, "usage: limit [packets]\n"), 2;

  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  sender = socket(AF_INET, SOCK_DGRAM, 0);
  receiver = socket(AF_INET, SOCK_DGRAM, 0);
  int buffer = 4 << 20;
  setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (bind(receiver, (struct sockaddr *)&address, sizeof address) < 0 ||
      getsockname(receiver, (struct sockaddr *)&address, &length) < 0 ||
      connect(sender, (struct sockaddr *)&address, sizeof address) < 0)
    return perror("Cannot open a socket on the loopback"), 1;

  for (int i = 0; i < KEYS; i++) {
    unsigned char key[16] = {(unsigned char)i, 1, 2, 3};
    keys[i] = EVP_CIPHER_CTX_new();
    if (!keys[i] || !EVP_EncryptInit_ex(keys[i], EVP_aes_128_cbc(), NULL, key, NULL))
      return fprintf(stderr, "Cannot set up AES-128-CBC\n"), 1;
    EVP_CIPHER_CTX_set_padding(keys[i], 0);
  }

  pthread_t thread;
  pthread_create(&thread, NULL, drain, NULL);
  pin(0);
  run(AES | SENDTO, count / 4); /* to warm up */
  double aes = median(AES, count);
  received = 0;
  double sendto = median(SENDTO, count), sendmmsg = median(SENDMMSG, count);
  double both = median(AES | SENDTO, count), batched = median(AES | SENDMMSG, count);
  usleep(50000);
  printf("{\"bytes\":%d,\"packets\":%ld,\"aes_us\":%.3f,\"sendto_us\":%.3f,\"sendmmsg_us\":%.3f,"
         "\"aes_sendto_us\":%.3f,\"aes_sendmmsg_us\":%.3f,\"received_share\":%.4f}\n",
         SIZE, count, aes, sendto, sendmmsg, both, batched, (double)received / (12.0 * count));
  return 0;
}
