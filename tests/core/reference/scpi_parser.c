/* Answers SCPI messages with Jan Breuer's scpi-parser, an implementation that shares nothing with regulator/scpi/.
 *
 * Reads one message a line; prints one line for each: what it set and replied, and its errors, separated by tabs.
 * tests/core/reference/record.py builds and runs this; see there.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scpi/scpi.h"

static char done[4096];

static void note(const char *text) {
    if (done[0]) strcat(done, "|");
    strcat(done, text);
}

static scpi_result_t suffix_of_one(scpi_t *context) {
    int32_t number;
    SCPI_CommandNumbers(context, &number, 1, 1);
    if (number == 1) return SCPI_RES_OK;
    SCPI_ErrorPush(context, -114);
    return SCPI_RES_ERR;
}

static scpi_result_t no_more(scpi_t *context) {
    scpi_parameter_t parameter;
    if (SCPI_Parameter(context, &parameter, FALSE)) {
        SCPI_ErrorPush(context, SCPI_ERROR_PARAMETER_NOT_ALLOWED);
        return SCPI_RES_ERR;
    }
    return SCPI_ParamErrorOccurred(context) ? SCPI_RES_ERR : SCPI_RES_OK;
}

static scpi_result_t number(scpi_t *context, const char *name, int unit) {
    scpi_number_t value;
    char text[100];
    if (!SCPI_ParamNumber(context, scpi_special_numbers_def, &value, TRUE)) return SCPI_RES_ERR;
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    if (value.special) {
        const char *word;
        SCPI_ChoiceToName(scpi_special_numbers_def, value.content.tag, &word);
        snprintf(text, sizeof text, "%s %.3s", name, word);
    } else {
        if (value.unit != SCPI_UNIT_NONE && value.unit != unit) {
            SCPI_ErrorPush(context, unit == SCPI_UNIT_NONE ? SCPI_ERROR_SUFFIX_NOT_ALLOWED : SCPI_ERROR_INVALID_SUFFIX);
            return SCPI_RES_ERR;
        }
        double scale = unit == SCPI_UNIT_NONE ? 1 : 1e6;
        snprintf(text, sizeof text, "%s %.0f", name, round(value.content.value * scale));
    }
    note(text);
    return SCPI_RES_OK;
}

static scpi_result_t level(scpi_t *context) {
    return suffix_of_one(context) == SCPI_RES_OK ? number(context, "level", SCPI_UNIT_VOLT) : SCPI_RES_ERR;
}

static scpi_result_t slew(scpi_t *context) {
    return suffix_of_one(context) == SCPI_RES_OK ? number(context, "slew", SCPI_UNIT_NONE) : SCPI_RES_ERR;
}

static const scpi_choice_def_t MODES[] = {{"LINear", 0}, {"MAXimum", 1}, {"OFF", 2}, SCPI_CHOICE_LIST_END};

static scpi_result_t mode(scpi_t *context) {
    int32_t value;
    char text[40];
    if (suffix_of_one(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    if (!SCPI_ParamChoice(context, MODES, &value, TRUE)) return SCPI_RES_ERR;
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    snprintf(text, sizeof text, "mode %d", (int)value);
    note(text);
    return SCPI_RES_OK;
}

static scpi_result_t output(scpi_t *context) {
    scpi_bool_t value;
    if (suffix_of_one(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    if (!SCPI_ParamBool(context, &value, TRUE)) return SCPI_RES_ERR;
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    note(value ? "output 1" : "output 0");
    return SCPI_RES_OK;
}

static scpi_result_t name(scpi_t *context) {
    char value[300], text[320];
    size_t length;
    if (!SCPI_ParamCopyText(context, value, sizeof value, &length, TRUE)) return SCPI_RES_ERR;
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    snprintf(text, sizeof text, "name %.*s", (int)length, value);
    note(text);
    return SCPI_RES_OK;
}

static scpi_result_t pair(scpi_t *context) {
    scpi_number_t first, second;
    char text[100];
    if (!SCPI_ParamNumber(context, NULL, &first, TRUE)) return SCPI_RES_ERR;
    if (!SCPI_ParamNumber(context, NULL, &second, TRUE)) return SCPI_RES_ERR;
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    snprintf(text, sizeof text, "pair %.0f %.0f", round(first.content.value), round(second.content.value));
    note(text);
    return SCPI_RES_OK;
}

static scpi_result_t nothing(scpi_t *context) {
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    note("nothing");
    return SCPI_RES_OK;
}

static scpi_result_t query(scpi_t *context) {
    if (suffix_of_one(context) != SCPI_RES_OK || no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    SCPI_ResultInt32(context, SCPI_CmdTag(context));
    return SCPI_RES_OK;
}

static scpi_result_t valve(scpi_t *context) {
    int32_t number;
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    SCPI_CommandNumbers(context, &number, 1, 1);
    SCPI_ResultInt32(context, number);
    return SCPI_RES_OK;
}

static scpi_result_t identity(scpi_t *context) {
    if (no_more(context) != SCPI_RES_OK) return SCPI_RES_ERR;
    SCPI_ResultInt32(context, 99);
    return SCPI_RES_OK;
}

static const scpi_command_t COMMANDS[] = {
    {.pattern = "*IDN?", .callback = identity},
    {.pattern = "*CLS", .callback = SCPI_CoreCls},
    {.pattern = "*ESE", .callback = SCPI_CoreEse},
    {.pattern = "*ESE?", .callback = SCPI_CoreEseQ},
    {.pattern = "*SRE", .callback = SCPI_CoreSre},
    {.pattern = "*SRE?", .callback = SCPI_CoreSreQ},
    {.pattern = "*OPC?", .callback = SCPI_CoreOpcQ},
    {.pattern = "*WAI", .callback = SCPI_CoreWai},
    {.pattern = "SOURce#[:VOLTage][:LEVel][:IMMediate][:AMPLitude]", .callback = level},
    {.pattern = "SOURce#[:VOLTage][:LEVel][:IMMediate][:AMPLitude]?", .callback = query, .tag = 1},
    {.pattern = "SOURce#[:VOLTage]:SLEW", .callback = slew},
    {.pattern = "SOURce#[:VOLTage]:SLEW?", .callback = query, .tag = 2},
    {.pattern = "SOURce#[:VOLTage]:SLEW:MODE", .callback = mode},
    {.pattern = "SOURce#[:VOLTage]:SLEW:MODE?", .callback = query, .tag = 3},
    {.pattern = "SENSe#[:VOLTage]?", .callback = query, .tag = 4},
    {.pattern = "SENSe#[:VOLTage]:SLEW?", .callback = query, .tag = 5},
    {.pattern = "OUTPut#[:STATe]", .callback = output},
    {.pattern = "OUTPut#[:STATe]?", .callback = query, .tag = 6},
    {.pattern = "DIAGnostic:VALVe#?", .callback = valve},
    {.pattern = "SYSTem:NAME", .callback = name},
    {.pattern = "SYSTem:PAIR", .callback = pair},
    {.pattern = "SYSTem:NOTHing", .callback = nothing},
    SCPI_CMD_LIST_END
};

static size_t write_reply(scpi_t *context, const char *data, size_t length) {
    static char reply[64];
    size_t kept = 0;
    for (size_t index = 0; index < length; index++) {
        if (data[index] != '\r' && data[index] != '\n' && data[index] != ';') reply[kept++] = data[index];
    }
    reply[kept] = 0;
    if (kept) {
        char text[80] = "reply ";
        strcat(text, reply);
        note(text);
    }
    return length;
}

static int on_error(scpi_t *context, int_fast16_t code) {
    char text[40];
    snprintf(text, sizeof text, "error %d", (int)code);
    if (code) note(text);
    return 0;
}

static scpi_interface_t interface = {.write = write_reply, .error = on_error};

int main(void) {
    static char line[600];
    while (fgets(line, sizeof line, stdin)) {
        static char input[600];
        scpi_error_t errors[17];
        scpi_t context;
        done[0] = 0;
        SCPI_Init(&context, COMMANDS, &interface, scpi_units_def, "a", "b", "c", "d", input, sizeof input, errors, 17);
        SCPI_Input(&context, line, (int)strlen(line));
        printf("%s\n", done);
    }
    return 0;
}
