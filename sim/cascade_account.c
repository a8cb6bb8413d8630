#include "sim/cascade_shoot.h"

#include <string.h>

struct settle_account cascade_account_case(const struct cascade *self, uint32_t number)
{
    const struct book_account *account = &self->accounts->book->accounts[number];
    return (struct settle_account){
        .ledger = self->ledger,
        .account = account,
        .coins = {accounts_coins(self->ledger, account, BOOK_LONG),
                  accounts_coins(self->ledger, account, BOOK_SHORT)},
        .funding = self->accounts->funding,
    };
}

/* One order for what its legs do not close against each other; without one the price stays. */
int cascade_shoot_account(struct cascade *self, int side_index, int market,
                          const struct cascade_node *node, struct error *err)
{
    double trigger = accounts_peek(self->accounts, market, side_index);
    double crossing = cascade_crossing_price(self->prices, trigger, node->previous_last);
    uint32_t number = accounts_fire(self->accounts, market, side_index, self->ledger);
    struct settle_account of = cascade_account_case(self, number);
    double net = of.coins[side_index] - of.coins[1 - side_index];
    struct cascade_shot *shot = cascade_order(self, side_index, market, net, err);
    if (shot == NULL)
        return ERROR_IO;
    memset(&shot->position, 0, sizeof shot->position);
    shot->account = number;
    shot->trigger_price = trigger;
    if (self->settle->fill == SETTLE_FINAL)
        return ERROR_NONE;
    double fill = self->prices->feedback ? 0.5 * (shot->last_before + shot->last_after) : crossing;
    settle_account(self->settle, &of, fill, self->venues[of.account->venue].rule.fee_rate);
    return ERROR_NONE;
}
