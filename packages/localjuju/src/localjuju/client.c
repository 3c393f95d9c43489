/* A hook command, or juju: sends its command line to the model and prints the answer.
 *
 * The name it is called by is the command. The socket is next to the directory that holds this
 * executable. The protocol is described in wire.py.
 */
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void fail(const char *why) {
    fprintf(stderr, "ERROR localjuju: %s\n", why);
    exit(1);
}

static void send_all(int fd, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t sent = write(fd, at, size);
        if (sent <= 0) fail("the model does not answer");
        at += sent;
        size -= (size_t)sent;
    }
}

static void receive_all(int fd, void *data, size_t size) {
    char *at = data;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got <= 0) fail("the model does not answer");
        at += got;
        size -= (size_t)got;
    }
}

static void send_field(int fd, const char *data, size_t size) {
    uint32_t length = (uint32_t)size;
    send_all(fd, &length, sizeof length);
    send_all(fd, data, size);
}

static void print_field(int fd, FILE *to) {
    uint32_t length;
    receive_all(fd, &length, sizeof length);
    char *text = malloc(length + 1);
    if (text == NULL) fail("out of memory");
    receive_all(fd, text, length);
    fwrite(text, 1, length, to);
    free(text);
}

static char *read_stdin(size_t *size) {
    size_t room = 1 << 16;
    char *data = malloc(room);
    *size = 0;
    for (;;) {
        if (data == NULL) fail("out of memory");
        ssize_t got = read(0, data + *size, room - *size);
        if (got <= 0) return data;
        *size += (size_t)got;
        if (*size == room) data = realloc(data, room *= 2);
    }
}

static int wants_stdin(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--file=-") == 0) return 1;
        if (strcmp(argv[i], "--file") == 0 && i + 1 < argc && strcmp(argv[i + 1], "-") == 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) fail("/proc is not mounted");
    self[length] = '\0';

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int wanted = snprintf(address.sun_path, sizeof address.sun_path, "%s/../agent.sock",
                          dirname(self));
    if (wanted >= (int)sizeof address.sun_path) fail("the path of the model is too long");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("the model is not running");

    const char *token = getenv("JUJU_CONTEXT_ID");
    if (token == NULL) token = "";
    size_t size = 0;
    char *input = wants_stdin(argc, argv) ? read_stdin(&size) : "";
    char *name = basename(argv[0]);

    char directory[PATH_MAX];
    if (getcwd(directory, sizeof directory) == NULL) directory[0] = '\0';

    uint32_t count = (uint32_t)(argc + 3);
    send_all(fd, &count, sizeof count);
    send_field(fd, token, strlen(token));
    send_field(fd, name, strlen(name));
    send_field(fd, directory, strlen(directory));
    send_field(fd, input, size);
    for (int i = 1; i < argc; i++) send_field(fd, argv[i], strlen(argv[i]));

    uint32_t code;
    receive_all(fd, &code, sizeof code);
    print_field(fd, stdout);
    print_field(fd, stderr);
    return (int)code;
}
